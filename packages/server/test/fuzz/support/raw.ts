/** HTTP as it goes over the wire, for what no client library would send. */
import { connect } from 'node:net'
import type { Seen } from './checks.ts'

/** Milliseconds after which an answer counts as missing. */
const HANGS_AFTER_MS = 20_000

export function requestText(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  payload: Buffer | undefined,
): Buffer {
  const length = payload === undefined ? {} : { 'Content-Length': String(payload.length) }
  const all = { Host: '127.0.0.1', ...headers, ...length }
  // What a header cannot hold at all is for the tests of framing.
  const lines = Object.entries(all).map(
    ([name, value]) => `${name}: ${value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?')}`,
  )
  const head = [`${method} ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), payload ?? Buffer.alloc(0)])
}

/** Sends the bytes; gives the one answer to them. */
export async function exchange(port: number, bytes: Buffer, method: string): Promise<Seen> {
  const received = await talk(port, [bytes], (text) => answersIn(text, [method]).length > 0)
  const [first] = answersIn(received, [method])
  if (first === undefined) throw new Error(`the connection was closed without an answer: ${received.slice(0, 200)}`)
  return first
}

/** Sends one after the other; gives all that came back when `enough`, or when the other side has closed. */
export async function talk(port: number, parts: readonly Buffer[], enough: (text: string) => boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let text = ''
  try {
    return await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no end of: ${text.slice(0, 300)}`)), HANGS_AFTER_MS)
      const leave = (): void => {
        clearTimeout(timer)
        resolve(text)
      }
      socket.on('data', (chunk: string) => {
        text += chunk
        if (enough(text)) leave()
      })
      socket.on('error', () => undefined).on('close', leave)
      for (const part of parts) socket.write(part)
    })
  } finally {
    socket.destroy()
  }
}

/** The whole answers at the start of what was received, in the order of the methods they answer. */
export function answersIn(text: string, methods: readonly string[]): Seen[] {
  const found: Seen[] = []
  let rest = text
  while (found.length < methods.length || methods.length === 0) {
    rest = rest.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) break
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]),
    )
    const status = Number(line.split(' ')[1])
    const hasNone = methods[found.length] === 'HEAD' || status === 204
    const length = hasNone ? 0 : Number(headers['content-length'] ?? 0)
    if (rest.length < end + 4 + length) break
    found.push({ status, headers, text: Buffer.from(rest.slice(end + 4, end + 4 + length), 'latin1').toString('utf8') })
    rest = rest.slice(end + 4 + length)
    if (rest === '') break
  }
  return found
}
