/** What the engine sends: JSON objects whose fields may be missing, null or of newer kinds than are known here. */
export type Message = Readonly<Record<string, unknown>>

/** The engine is told why. `status` is that of the answer. */
export class Refusal extends Error {
  readonly status: number

  constructor(message: string, status = 400) {
    super(message)
    this.status = status
  }
}

export function objectOf(value: unknown): Message {
  return isObject(value) ? value : {}
}

/** Empty when it is not there. */
export function textOf(message: Message, name: string): string {
  const value = message[name]
  return typeof value === 'string' ? value : ''
}

export function requiredText(message: Message, name: string): string {
  const value = textOf(message, name)
  if (value === '') throw new Refusal(`${name} is missing`)
  return value
}

export function isObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
