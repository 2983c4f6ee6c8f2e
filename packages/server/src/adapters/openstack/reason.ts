/** What the services say of an error; each has a form of its own. */
import { isRecord, textIn } from './json.ts'

const LONGEST_REASON = 1_000

export interface Reason {
  readonly type: string | null
  readonly reason: string
}

export function reasonIn(body: Buffer): Reason {
  const text = body.toString('utf8')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return { type: null, reason: shortened(withoutMarkup(text)) }
  }
  const found = fromErrors(parsed) ?? fromMember(parsed)
  return found ?? { type: null, reason: shortened(text) }
}

/** `{"errors": [{"code", "title", "detail"}]}`, of Placement and of services like ours. */
function fromErrors(body: unknown): Reason | undefined {
  if (!isRecord(body) || !Array.isArray(body.errors)) return undefined
  const first: unknown = body.errors[0]
  if (!isRecord(first)) return undefined
  const reason = textIn(first, 'detail') ?? textIn(first, 'title') ?? 'no reason given'
  return { type: textIn(first, 'code') ?? null, reason: shortened(reason) }
}

/** `{"NeutronError": {"type", "message"}}`, `{"itemNotFound": {"message"}}`, `{"error": {"title", "message"}}`. */
function fromMember(body: unknown): Reason | undefined {
  if (!isRecord(body)) return undefined
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string' && name === 'message') return { type: null, reason: shortened(value) }
    if (!isRecord(value)) continue
    const message = textIn(value, 'message')
    if (message !== undefined) return { type: textIn(value, 'type') ?? name, reason: shortened(message) }
  }
  return undefined
}

/** Pages for browsers, of Glance and of proxies. */
function withoutMarkup(text: string): string {
  return text
    .replaceAll(/<(title|head|style)[^>]*>.*?<\/\1>/gis, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function shortened(text: string): string {
  if (text.trim() === '') return 'no reason given'
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON).toWellFormed()}…` : text
}
