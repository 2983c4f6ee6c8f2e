/** A deployment of roles by themselves, with certificates and a database, in a directory of its own. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ApiClient } from './api-client.ts'
import { RoleProcess, type RoleName } from './role-process.ts'
import { TestEngine } from './test-engine.ts'
import { freePort, poolsOf } from './zund-process.ts'

const LAUNCHER = join(import.meta.dirname, '../../../../zund')

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** More of zun.conf, by group. */
export type Conf = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>

export interface ProcessOptions {
  readonly wrap?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export class RoleDeployment {
  readonly directory = mkdtempSync(join(tmpdir(), 'zund-roles-'))
  readonly apiPort: number
  readonly terminalPort: number
  readonly linkPort: number
  readonly #roles: RoleProcess[] = []
  readonly #engines: TestEngine[] = []

  private constructor(ports: readonly [number, number, number]) {
    ;[this.apiPort, this.terminalPort, this.linkPort] = ports
  }

  /** With an authority, a certificate of the control plane, and a database. */
  static async make(): Promise<RoleDeployment> {
    const made = new RoleDeployment([await freePort(), await freePort(), await freePort()])
    const config = made.configure('controller')
    await made.must('certificates', '--config-file', config)
    await made.must('db', 'sync', '--config-file', config)
    // As `up` has it for the project of its demo user.
    const rule = '"container:create:image_pull_policy": "is_admin:True or project_id:%(project_id)s"\n'
    writeFileSync(join(made.directory, 'policy.yaml'), rule)
    return made
  }

  path(...parts: readonly string[]): string {
    return join(this.directory, ...parts)
  }

  /** Writes a file of configuration, and says where. */
  configure(name: string, conf: Conf = {}): string {
    const all: Record<string, Record<string, string | number | boolean>> = {
      DEFAULT: { state_path: this.path('state') },
      api: { port: this.apiPort },
      websocket_proxy: { wsproxy_port: this.terminalPort },
      zund: { tls_directory: this.path('tls'), link_port: this.linkPort },
    }
    for (const [group, options] of Object.entries(conf)) all[group] = { ...all[group], ...options }
    const text = Object.entries(all).map(([group, options]) => {
      return [`[${group}]`, ...Object.entries(options).map(([option, value]) => `${option} = ${value}`)].join('\n')
    })
    const file = this.path(`${name}.conf`)
    writeFileSync(file, `${[...text, poolsOf(this.apiPort)].join('\n')}\n`)
    return file
  }

  /** A process of a role, not yet started; ended with the deployment. */
  role(role: RoleName, config: string, options: ProcessOptions = {}): RoleProcess {
    const made = new RoleProcess({ role, config, ...options })
    this.#roles.push(made)
    return made
  }

  /** Its certificate, its configuration and its process. */
  async host(
    name: string,
    { conf = {}, engine = new TestEngine(), ...options }: ProcessOptions & { conf?: Conf; engine?: TestEngine } = {},
  ): Promise<{ readonly process: RoleProcess; readonly config: string; readonly port: number }> {
    this.#engines.push(engine)
    const port = await freePort()
    await this.must('certificates', '--directory', this.path('tls'), '--host', name)
    const config = this.configure(name, {
      ...conf,
      DEFAULT: { state_path: this.path(name), host: name, ...conf['DEFAULT'] },
      docker: { api_url: `unix://${engine.socketPath}` },
      zund: { control_plane: `127.0.0.1:${this.linkPort}`, host_port: port, ...conf['zund'] },
    })
    mkdirSync(this.path(name), { recursive: true })
    return { process: this.role('compute', config, options), config, port }
  }

  /** A command of ./zund, to its end. */
  async zund(...args: readonly string[]): Promise<Said> {
    const { NODE_TEST_CONTEXT: _, ZUND_STATE_DIR: __, ...inherited } = process.env
    const env = { ...inherited, DOCKER_HOST: `unix://${new TestEngine().socketPath}` }
    return await new Promise((resolve) => {
      execFile(LAUNCHER, [...args], { cwd: '/', env, timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err })
      })
    })
  }

  async must(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.zund(...args)
    if (code !== 0) throw new Error(`zund ${args.join(' ')}: ${code} ${out} ${err}`)
    return out
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.apiPort}`
  }

  get database(): string {
    return this.path('state', 'zund.sqlite')
  }

  async client(cloud: 'zund' | 'zund-admin' = 'zund'): Promise<ApiClient> {
    const { clouds } = parse(readFileSync(this.path('state', 'clouds.yaml'), 'utf8')) as {
      clouds: Record<string, { auth: { username: string; password: string; project_name: string } }>
    }
    const auth = clouds[cloud]?.auth
    if (auth === undefined) throw new Error(`no cloud ${cloud}`)
    const { username, password, project_name: project } = auth
    return await ApiClient.login(this.baseUrl, { username, password, project })
  }

  /** Ends all that was started and removes what it has made: engine objects, mounts, files. */
  async destroy(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.kill()))
    if (existsSync(this.database)) for (const engine of this.#engines) await engine.removeDeployment(this.database)
    rmSync(this.directory, { recursive: true, force: true })
  }
}
