/**
 * Settings of a program, from the environment over a `.env` file. Empty is not set. A wrong one is refused with what is wrong and
 * what is possible.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadEnvFile } from 'node:process'
import { parseLevel, type Level } from '../telemetry/logger.ts'

/** A setting that is wrong, in words for whoever set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Adds the `.env` file of a directory to the environment, without overriding what is set. */
export function loadEnvironmentFile(directory: string): void {
  const path = resolve(directory, '.env')
  if (existsSync(path)) loadEnvFile(path)
}

/** Each reads a setting by its name, and throws ConfigError. */
export interface Settings {
  text(name: string): string | undefined
  integer(name: string, otherwise: number, low: number, high: number): number
  onOff(name: string, otherwise: boolean): boolean
  /** @param protocols with the colon */
  url(name: string, protocols: readonly string[]): string | undefined
  level(name: string): Level
  /** Some of what there is, separated by commas, in the order of what there is; all of it when not set. */
  some<Choice extends string>(name: string, all: readonly Choice[], what: string): readonly Choice[]
}

export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const text = (name: string) => (env[name] === '' ? undefined : env[name])
  return {
    text,

    integer(name, otherwise, low, high) {
      const given = text(name) ?? String(otherwise)
      const value = Number(given)
      if (Number.isInteger(value) && value >= low && value <= high && given.trim() !== '') return value
      throw new ConfigError(`${name} is ${JSON.stringify(given)}; it must be a whole number from ${low} to ${high}`)
    },

    onOff(name, otherwise) {
      const given = text(name) ?? (otherwise ? 'on' : 'off')
      if (given === 'on' || given === 'off') return given === 'on'
      throw new ConfigError(`${name} is ${JSON.stringify(given)}; it must be on or off`)
    },

    url(name, protocols) {
      const given = text(name)
      if (given === undefined) return undefined
      if (URL.canParse(given) && protocols.includes(new URL(given).protocol)) return given
      // The value may hold a password: it is not repeated.
      const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ')
      throw new ConfigError(`${name} is not a URL that starts with ${beginnings}`)
    },

    level(name) {
      try {
        return parseLevel(text(name) ?? 'info')
      } catch (error) {
        throw new ConfigError((error as Error).message)
      }
    },

    some(name, all, what) {
      const wanted = text(name)
        ?.split(',')
        .map((each) => each.trim())
      const unknown = wanted?.find((each) => !all.some((known) => known === each))
      if (unknown !== undefined)
        throw new ConfigError(`There is no ${what} ${JSON.stringify(unknown)}. Choose from ${all.join(', ')}`)
      return all.filter((each) => wanted?.includes(each) ?? true)
    },
  }
}
