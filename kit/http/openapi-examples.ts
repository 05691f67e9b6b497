/**
 * An example of what a schema describes: its own, else one put together from those of its parts. Undefined when a part has none:
 * examples belong to the schemas, nothing is invented here.
 */

interface Schema {
  readonly [keyword: string]: unknown
}

/** `definitions`: what `#/components/schemas/…` refers to. */
export function exampleOf(schema: unknown, definitions: Readonly<Record<string, unknown>> = {}): unknown {
  const { examples, example, $ref, enum: values, anyOf, type, ...rest } = (schema ?? {}) as Schema
  if (Array.isArray(examples) && examples.length > 0) return examples[0] as unknown
  const own = example ?? rest['const'] ?? rest['default']
  if (own !== undefined) return own
  if (typeof $ref === 'string') return exampleOf(definitions[$ref.split('/').at(-1) ?? ''], definitions)
  if (Array.isArray(values)) return values[0]
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0], definitions)
  if (type === 'null') return null
  if (type === 'boolean') return true
  if (type === 'integer') return rest['minimum']
  if (type === 'array') {
    const item = exampleOf(rest['items'], definitions)
    return item === undefined ? undefined : [item]
  }
  return type === 'object' ? ofObject(rest, definitions) : undefined
}

function ofObject(schema: Schema, definitions: Readonly<Record<string, unknown>>): object | undefined {
  const members = Object.entries((schema['properties'] ?? {}) as Schema)
  const required = new Set((schema['required'] ?? []) as string[])
  const made: Record<string, unknown> = {}
  for (const [name, member] of members) {
    const value = exampleOf(member, definitions)
    if (value !== undefined) made[name] = value
    else if (required.has(name)) return undefined
  }
  return made
}
