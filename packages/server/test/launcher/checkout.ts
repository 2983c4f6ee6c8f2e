import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const project = join(import.meta.dirname, '../../../..')

/** What a finished command said. */
export interface Said {
  readonly code: number | null
  readonly out: string
  /** Lines of standard error. */
  readonly complaints: readonly string[]
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Put before the command. */
  readonly wrap?: readonly string[]
  readonly uid?: number
  /** Path by which the launcher is called. */
  readonly as?: string
}

const COMMAND_TIMEOUT_MS = 60_000

/** How the launcher calls the server, as a checkout's record of calls shows it, without the name of the runtime. */
export const SERVER = '--max-semi-space-size=4 ./packages/server/src/main.ts'

/** A copy of the launcher and the tools in a directory of its own, with programs of our making first in its PATH. */
export class Checkout {
  readonly root: string
  readonly #stubs: string

  constructor(t: TestContext) {
    const home = mkdtempSync(join(tmpdir(), 'zund-checkout-'))
    t.after(() => rmSync(home, { recursive: true, force: true }))
    chmodSync(home, 0o755)
    this.root = join(home, 'zund')
    this.#stubs = join(home, 'stubs')
    mkdirSync(this.#stubs)
    const files = [
      'zund',
      'tools',
      'package.json',
      'package-lock.json',
      ...globSync('packages/*/package.json', { cwd: project }),
    ]
    for (const file of files) cpSync(join(project, file), join(this.root, file), { recursive: true })
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts)
  }

  read(path: string): string {
    return existsSync(this.path(path)) ? readFileSync(this.path(path), 'utf8') : ''
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), text)
  }

  /** A shell script that is found before the machine's own program of that name. */
  stub(name: string, script: string): void {
    const path = this.stubPath(name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
  }

  stubPath(name: string): string {
    return join(this.#stubs, name)
  }

  /** A node of the given version that only writes down how it was called, in `calls`. */
  stubNode(version: string): void {
    this.stub(
      'node',
      `[ "$*" = --version ] && { echo v${version}; echo "node --version" >>"${this.path('calls')}"; exit; }
# Without curl the launcher lets Node ask the engine.
case $1 in */ping-engine.ts) exec "${process.execPath}" "$@" ;; esac
echo "node $*" >>"${this.path('calls')}"`,
    )
  }

  /** An npm that writes down how it was called and leaves something that looks installed. */
  stubNpm(more = ''): void {
    this.stub(
      'npm',
      `echo "npm $*" >>"${this.path('calls')}"
mkdir -p "${this.path('node_modules')}"
case $* in *--include=dev*) mkdir -p "${this.path('node_modules/typescript')}" ;; esac
${more}`,
    )
  }

  /** Calls of stubs since the last look, without the checkout's own path. */
  calls(): string[] {
    const calls = this.read('calls')
      .replaceAll(this.root, '.')
      .split('\n')
      .filter((line) => line !== '')
    rmSync(this.path('calls'), { force: true })
    return calls
  }

  start(args: readonly string[], o: RunOptions = {}): ChildProcess {
    const [file = '', ...rest] = [...(o.wrap ?? []), o.as ?? this.path('zund'), ...args]
    const { NODE_TEST_CONTEXT: _, DOCKER_HOST: __, ZUND_STATE_DIR: ___, ...env } = process.env
    return spawn(file, rest, {
      // Not the checkout: it must work from anywhere.
      cwd: '/',
      env: { ...env, PATH: this.searchPath(), ...o.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
      ...(o.uid === undefined ? {} : { uid: o.uid, gid: o.uid }),
    })
  }

  async run(args: readonly string[], o: RunOptions = {}): Promise<Said> {
    return await said(this.start(args, o))
  }

  /** Waits until a file of this name is there. */
  async appears(path: string): Promise<void> {
    const deadline = AbortSignal.timeout(COMMAND_TIMEOUT_MS)
    while (!existsSync(this.path(path))) await sleep(20, undefined, { signal: deadline })
  }

  /** Our programs, then the machine's; no Node but ours. */
  searchPath(): string {
    return `${this.#stubs}:/usr/sbin:/usr/bin:/sbin:/bin`
  }
}

export async function said(child: ChildProcess): Promise<Said> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, out, complaints: err.split('\n').filter((line) => line !== '') }
}

/** Waits until a process has ended, whether or not its parent has noticed. */
export async function processGone(pid: number): Promise<void> {
  const deadline = AbortSignal.timeout(COMMAND_TIMEOUT_MS)
  while (isAlive(pid)) await sleep(20, undefined, { signal: deadline })
}

function isAlive(pid: number): boolean {
  try {
    // "pid (name) state …"; Z has ended and was not collected yet.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
