/** `zund` as people call it: a process of its own, with a home of its own. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export const MAIN = join(import.meta.dirname, '../../../cli/src/main.ts')

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly cwd?: string
}

/** A user's home: nothing of the developer's own settings gets in. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), 'zund-cli-'))
  env: Readonly<Record<string, string>>

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.env = env
  }

  file(name: string): string {
    return join(this.path, name)
  }

  write(name: string, content: string): string {
    writeFileSync(this.file(name), content)
    return this.file(name)
  }

  /** Of a process; what is not named is not there. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env
    const cache = NODE_COMPILE_CACHE === '' ? {} : { NODE_COMPILE_CACHE }
    return { PATH, HOME: this.path, ZUND_STATE_DIR: this.file('state'), TERM: 'xterm', ...cache, ...this.env, ...more }
  }

  async zund(args: readonly string[], o: CallOptions = {}): Promise<Said> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: o.cwd ?? this.path,
      env: this.environment(o.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 90_000,
    })
    // It may end without reading all of it.
    child.stdin.on('error', () => undefined)
    child.stdin.end(o.input ?? '')
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    return { code, out, err }
  }

  /** What it says on standard output; it must succeed. */
  async ok(args: readonly string[], o: CallOptions = {}): Promise<string> {
    const said = await this.zund(args, o)
    if (said.code === 0) return said.out
    throw new Error(`zund ${args.join(' ')} ended with ${said.code}: ${said.err}`)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export function variables(port: number, user: string, project: string): Record<string, string> {
  return {
    OS_AUTH_URL: `http://127.0.0.1:${port}/identity`,
    OS_USERNAME: user,
    OS_PASSWORD: `secret of ${user}`,
    OS_PROJECT_NAME: project,
  }
}
