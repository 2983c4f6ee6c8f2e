import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A server in a process of its own that prints one line of JSON when it is ready. */
export class ChildServer<T> implements AsyncDisposable {
  readonly ready: T
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: T) {
    this.#child = child
    this.ready = ready
  }

  static async start<T>(file: string, args: readonly string[]): Promise<ChildServer<T>> {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${file} ended before it was ready`)
    })
    const line = once(createInterface({ input: child.stdout }), 'line')
    const [text] = (await Promise.race([line, ended])) as [string]
    ended.catch(() => undefined)
    return new ChildServer(child, JSON.parse(text) as T)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}
