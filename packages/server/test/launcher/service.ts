import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { ApiClient } from '../support/api-client.ts'
import { TestEngine } from '../support/test-engine.ts'
import { freePort } from '../support/zund-process.ts'
import { said, type Said } from './checkout.ts'

const LAUNCHER = join(import.meta.dirname, '../../../../zund')
const COMMAND_TIMEOUT_MS = 90_000

/** One installation, driven through ./zund as a user does. Whatever it made is gone after the test. */
export class Service {
  readonly stateDir: string
  readonly apiPort: number
  readonly terminalPort: number
  readonly #engine = new TestEngine()

  private constructor(stateDir: string, apiPort: number, terminalPort: number) {
    this.stateDir = stateDir
    this.apiPort = apiPort
    this.terminalPort = terminalPort
  }

  static async prepare(t: TestContext): Promise<Service> {
    const home = mkdtempSync(join(tmpdir(), 'zund launcher-'))
    const service = new Service(join(home, 'state'), await freePort(), await freePort())
    t.after(async () => {
      await service.zund('down')
      const database = join(service.stateDir, 'zund.sqlite')
      if (existsSync(database)) await service.#engine.removeDeployment(database)
      rmSync(home, { recursive: true, force: true })
    })
    return service
  }

  /** `command` with this installation's state directory and the test run's engine. */
  start(command: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
    return spawn(LAUNCHER, [command, '--state-dir', this.stateDir, ...args], {
      cwd: '/',
      env: { ...inherited, DOCKER_HOST: `unix://${this.#engine.socketPath}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
    })
  }

  async zund(command: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return await said(this.start(command, args, env))
  }

  /** Options of `up` that keep several installations apart. */
  get ports(): string[] {
    return ['--api-port', String(this.apiPort), '--wsproxy-port', String(this.terminalPort)]
  }

  async up(...more: string[]): Promise<Said> {
    return await this.zund('up', ['--detach', ...this.ports, ...more])
  }

  read(name: string): string {
    return readFileSync(join(this.stateDir, name), 'utf8')
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.stateDir, name), text)
  }

  /** Of the process that serves. */
  get pid(): number {
    return (JSON.parse(this.read('run.json')) as { pid: number }).pid
  }

  /** Logged in with what clouds.yaml says, and nothing else. */
  async client(cloud: string): Promise<ApiClient> {
    const { clouds } = parse(this.read('clouds.yaml')) as {
      clouds: Record<string, { auth: { auth_url: string; username: string; password: string; project_name: string } }>
    }
    const auth = clouds[cloud]?.auth
    if (auth === undefined) throw new Error(`clouds.yaml has no cloud ${cloud}`)
    const { auth_url, username, password, project_name: project } = auth
    return await ApiClient.login(auth_url.replace(/\/identity$/, ''), { username, password, project })
  }
}
