/** A user's end of a terminal. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

export class Terminal {
  readonly ws: WebSocket
  /** Everything that was received. `bytes` counts on when `keep` is off. */
  text = ''
  bytes = 0
  keep = true
  readonly closed: Promise<{ code: number; reason: string }>

  private constructor(ws: WebSocket) {
    this.ws = ws
    const decoder = new TextDecoder('utf-8', { fatal: true })
    ws.on('message', (data: Buffer) => {
      this.bytes += data.length
      // As the Python client does: each frame by itself.
      if (this.keep) this.text += decoder.decode(data)
    })
    this.closed = new Promise((resolve) =>
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
  }

  static async open(url: string, protocols: readonly string[] = ['binary', 'base64']): Promise<Terminal> {
    const ws = new WebSocket(url, [...protocols], { origin: originOf(url), perMessageDeflate: false })
    const terminal = new Terminal(ws)
    await once(ws, 'open')
    return terminal
  }

  /** As keys. */
  type(text: string | Buffer): void {
    this.ws.send(Buffer.from(text))
  }

  async see(pattern: RegExp): Promise<void> {
    await until(`${String(pattern)} is seen`, () => pattern.test(this.text)).catch((error: unknown) => {
      throw new Error(`seen was only: ${JSON.stringify(this.text.slice(-2_000))}`, { cause: error })
    })
  }
}

/** Status with which the handshake is refused. */
export async function refusedWith(url: string, origin?: string): Promise<number> {
  const ws = new WebSocket(url, ['binary'], { origin: origin ?? originOf(url) })
  return await new Promise((resolve, reject) => {
    ws.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    ws.once('open', () => reject(new Error('the terminal was opened')))
    ws.once('error', reject)
  })
}

/** The Python client's own way of writing it. */
function originOf(url: string): string {
  return new URL(url).origin.replace(/^ws/, 'http')
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await condition()); await sleep(10)) {
    if (Date.now() > end) throw new Error(`in 20 s it did not happen that ${what}`)
  }
}
