import { uuidv7 } from 'uuidv7'
import type { IdSource } from './ids.ts'

/** The production source of ids: UUIDv7 without its dashes. The only place where an id is drawn. */
export const systemIds: IdSource = { draw: () => uuidv7().replaceAll('-', '') }
