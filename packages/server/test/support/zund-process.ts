/** The service as a user starts it: a real process on the real engine, with a state directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { ApiClient } from './api-client.ts'
import { withPlugin } from './network-plugin.ts'
import { TestEngine } from './test-engine.ts'

const LAUNCHER = new URL('../../../../zund', import.meta.url).pathname
const START_DEADLINE_MS = 60_000

export interface ZundOptions {
  /** Engine socket; default is that of the test run. */
  readonly engineSocket?: string
  /** More of zun.conf; what has no group of its own is in [zund]. */
  readonly conf?: string
  /** Default is a new directory. */
  readonly stateDir?: string
}

export class ZundProcess {
  readonly stateDir: string
  readonly apiPort: number
  readonly terminalPort: number
  readonly engine: TestEngine
  #child: ChildProcess | undefined
  #output = ''

  private constructor(stateDir: string, ports: readonly [number, number], engine: TestEngine) {
    this.stateDir = stateDir
    ;[this.apiPort, this.terminalPort] = ports
    this.engine = engine
  }

  static async start(options: ZundOptions = {}): Promise<ZundProcess> {
    const engine = new TestEngine(options.engineSocket)
    const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'zund-test-'))
    mkdirSync(stateDir, { recursive: true })
    const zund = new ZundProcess(stateDir, [await freePort(), await freePort()], engine)
    writeFileSync(join(stateDir, 'zun.conf'), `${poolsOf(zund.apiPort)}\n${options.conf ?? ''}\n`)
    await zund.up()
    return zund
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('it does not run')
    return this.#child.pid
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.apiPort}`
  }

  /** What it printed so far. */
  get output(): string {
    return this.#output
  }

  /** Physical memory of its process. */
  residentBytes(): number {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    if (kibibytes === undefined) throw new Error('it does not run')
    return Number(kibibytes) * 1024
  }

  /** Sockets that it has open, to users and to the engine. */
  openSockets(): number {
    const directory = `/proc/${this.pid}/fd`
    const isSocket = (fd: string): boolean => {
      try {
        return readlinkSync(`${directory}/${fd}`).startsWith('socket:')
      } catch {
        // Closed meanwhile.
        return false
      }
    }
    return readdirSync(directory).filter(isSocket).length
  }

  /** What it has logged, in all of its lives. */
  log(): string {
    return readFileSync(join(this.stateDir, 'zund.log'), 'utf8')
  }

  /** Starts it on its state directory and waits until it is ready, or has ended by itself (then it throws). */
  async up(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = this.launch(environment)
    const deadline = Date.now() + START_DEADLINE_MS
    while (!this.#output.includes('zund is ready')) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${this.#output}`)
      if (Date.now() > deadline) throw new Error(`it is not ready: ${this.#output}`)
      await sleep(20)
    }
  }

  /** Starts it without waiting for anything. */
  launch(environment: Readonly<Record<string, string>> = {}): ChildProcess {
    this.#output = ''
    const child = spawn(
      LAUNCHER,
      ['up', '--no-install', '--state-dir', this.stateDir].concat(
        ['--api-port', String(this.apiPort)],
        ['--wsproxy-port', String(this.terminalPort)],
      ),
      {
        env: { ...process.env, DOCKER_HOST: `unix://${this.engine.socketPath}`, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const keep = (chunk: Buffer): void => void (this.#output += chunk.toString('utf8'))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    // Otherwise all that a test sees is that nobody listens any more.
    child.once('exit', (code) => {
      if (code !== null && code !== 0) console.error(`the service ended with ${code}: ${this.#output.slice(-4_000)}`)
    })
    this.#child = child
    return child
  }

  /** Resolves when the process has ended, however that came about. */
  async ended(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.ended()
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.ended()
  }

  async client(cloud: 'zund' | 'zund-admin' = 'zund'): Promise<ApiClient> {
    return await ApiClient.login(this.baseUrl, this.credentials(cloud))
  }

  credentials(cloud: 'zund' | 'zund-admin'): { username: string; password: string; project: string } {
    const document = parse(readFileSync(join(this.stateDir, 'clouds.yaml'), 'utf8')) as {
      clouds: Record<string, { auth: { username: string; password: string; project_name: string } }>
    }
    const auth = document.clouds[cloud]?.auth
    if (auth === undefined) throw new Error(`no cloud ${cloud}`)
    return { username: auth.username, password: auth.password, project: auth.project_name }
  }

  /** Stops it and removes what it has made: engine objects of its deployment, mounts, files. */
  async destroy(): Promise<void> {
    await this.kill()
    await withPlugin({ stateDir: this.stateDir, name: pluginOf(this.apiPort) }, async () => {
      await this.engine.removeDeployment(join(this.stateDir, 'zund.sqlite'))
    })
    rmSync(this.stateDir, { recursive: true, force: true })
  }
}

/** The engine is shared, and knows a plugin by its name. */
function pluginOf(port: number): string {
  return `zund-test-${port}`
}

/** Subnets of several test runs on one kernel must not meet; the port is as good a distinction as any. */
export function poolsOf(port: number): string {
  const third = port % 256
  const second = 192 + ((port >> 8) % 32)
  return `[network]\ndriver_name = ${pluginOf(port)}\n[zund]\nnetwork_pool_v4 = 10.${second}.${third}.0/24\nnetwork_prefix_v4 = 28\nnetwork_pool_v6 = fd00:5a75:${port.toString(16)}::/48`
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
