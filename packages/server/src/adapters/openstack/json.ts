/** Looking into JSON that somebody else has written. */

export type JsonRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member when it is an object; else an empty one. */
export function recordIn(value: unknown, name: string): JsonRecord {
  const member = isRecord(value) ? value[name] : undefined
  return isRecord(member) ? member : {}
}

/** The objects of a list; what is none is left out. */
export function recordsIn(value: unknown, name: string): JsonRecord[] {
  const member = isRecord(value) ? value[name] : undefined
  return Array.isArray(member) ? member.filter(isRecord) : []
}

export function textIn(value: unknown, name: string): string | undefined {
  const member = isRecord(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}

export function numberIn(value: unknown, name: string): number | undefined {
  const member = isRecord(value) ? value[name] : undefined
  return typeof member === 'number' && Number.isFinite(member) ? member : undefined
}

export function textsIn(value: unknown, name: string): string[] {
  const member = isRecord(value) ? value[name] : undefined
  return Array.isArray(member) ? member.filter((item) => typeof item === 'string') : []
}
