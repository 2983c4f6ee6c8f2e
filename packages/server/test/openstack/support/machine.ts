/** A machine with an engine, and an init system where it is asked for, on which whatever is written is gone with it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { importBusybox } from '../../../../../tools/test/busybox-image.ts'
import { answersPing } from '../../../../../tools/test/private-engine.ts'
import { TestEngine } from '../../support/test-engine.ts'
import { until } from '../../support/until.ts'

const CHECKOUT = join(import.meta.dirname, '../../../../..')
const COMMAND_TIMEOUT_MS = 120_000

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CommandOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export class Machine {
  readonly #directory: string
  readonly #enter: readonly string[]
  readonly #children: ChildProcess[] = []
  readonly #addresses: string[] = []
  /** Of its first process, and of that of its init system. */
  #pid = ''
  #init = ''

  private constructor(directory: string, enter: readonly string[]) {
    this.#directory = directory
    this.#enter = enter
  }

  /** `enter`: put before a command, it runs where this machine is to have its network. */
  static async make(name: string, enter: readonly string[] = []): Promise<Machine> {
    const machine = new Machine(mkdtempSync(join(tmpdir(), 'zund-machine-')), enter)
    try {
      await machine.#boot(name)
      await machine.#startEngine()
      return machine
    } catch (error) {
      await machine.stop()
      throw error
    }
  }

  /** A file of it, as this process sees it. */
  path(file: string): string {
    return `/proc/${this.#init === '' ? this.#pid : this.#init}/root${file}`
  }

  get engine(): TestEngine {
    return new TestEngine(this.path('/run/docker.sock'))
  }

  /** Lines for a shell of its root, in the checkout. */
  async run(lines: string, { input = '', env = {} }: CommandOptions = {}): Promise<Said> {
    const child = this.#spawn(this.inside('sh', '-e', '-c', lines), ['pipe', 'pipe', 'pipe'], env)
    const said = { out: '', err: '' }
    for (const [name, stream] of [
      ['out', child.stdout],
      ['err', child.stderr],
    ] as const) {
      stream?.setEncoding('utf8').on('data', (text: string) => (said[name] += text))
    }
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    const deadline = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS)
    await once(child, 'close')
    clearTimeout(deadline)
    return { code: child.exitCode, ...said }
  }

  /** What they print; anything but success throws. */
  async must(lines: string, options: CommandOptions = {}): Promise<string> {
    const { code, out, err } = await this.run(lines, options)
    if (code !== 0) throw new Error(`${lines}: ${code}\n${out}\n${err}`)
    return out
  }

  /** It has the network of another machine, which has one address more until this one stops. */
  async addAddress(address: string, link: string): Promise<void> {
    await this.must(`ip addr replace ${address} dev ${link}`)
    this.#addresses.push(`${address} dev ${link}`)
  }

  /** systemd, with no units but those that are installed afterwards. */
  async startInit(): Promise<void> {
    const script = '/opt/zund/packages/server/test/openstack/support/machine-init.sh'
    const child = this.#spawn(this.inside('sh', script, this.#initGroup), ['ignore', 'ignore', 'ignore'])
    this.#children.push(child)
    // nsenter, unshare, and the first process that unshare has made.
    this.#init = await until('the init system has been started', async () => {
      const unshare = childOf(child.pid)
      const first = unshare === undefined ? undefined : childOf(unshare)
      return first !== undefined && readFileSync(`/proc/${first}/comm`, 'utf8') === 'systemd\n' && first
    })
    await until('the init system runs', async () => {
      const { out } = await this.run('systemctl is-system-running || true')
      return out.trim() === 'running'
    })
  }

  async stop(): Promise<void> {
    for (const address of this.#addresses) await this.run(`ip addr del ${address}`)
    if (this.#init !== '') {
      process.kill(Number(this.#init), 'SIGKILL')
      this.#init = ''
      await until('its control groups are gone', async () => {
        return (
          (await this.run(`find /run/control-groups/${this.#initGroup} -depth -type d -exec rmdir {} +`)).code === 0
        )
      })
    }
    for (const child of this.#children) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    await until('the control groups of its containers are gone', async () => removed(basename(this.#directory)))
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }

  get #initGroup(): string {
    return `${basename(this.#directory)}-init`
  }

  async #boot(name: string): Promise<void> {
    const root = join(this.#directory, 'root')
    mkdirSync(root)
    const script = join(import.meta.dirname, 'machine.sh')
    const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc']
    // When this process ends, however it does, so does the machine.
    const tied = ['setpriv', '--pdeathsig', 'KILL', '--', ...this.#enter, 'unshare', ...namespaces]
    const boot = [...tied, '--', 'sh', script, name, root, CHECKOUT]
    const child = this.#spawn(boot, ['ignore', 'pipe', 'inherit'])
    this.#children.push(child)
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
    await until(`${name} is there`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
      return said === 'ready\n'
    })
    this.#pid = childOf(child.pid) ?? ''
  }

  async #startEngine(): Promise<void> {
    // Beside the engine of the same network, which has the bridge and the rules.
    const options = `--bridge=none --iptables=false --cgroup-parent=/${basename(this.#directory)}`
    await this.must(`dockerd ${options} >/var/log/dockerd.log 2>&1 &`)
    const socket = this.path('/run/docker.sock')
    await until('the engine answers', async () => answersPing(socket))
    await importBusybox(socket, { signal: AbortSignal.timeout(COMMAND_TIMEOUT_MS) })
  }

  /** Put behind nothing, it runs on this machine, as root, in the checkout. */
  inside(...argv: readonly string[]): string[] {
    const isInit = this.#init !== ''
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', ...(isInit ? ['--cgroup'] : [])]
    const target = `--target=${isInit ? this.#init : this.#pid}`
    return ['nsenter', target, ...namespaces, '--', 'env', '--chdir=/opt/zund', ...argv]
  }

  #spawn(argv: readonly string[], stdio: ('ignore' | 'inherit' | 'pipe')[], env = {}): ChildProcess {
    const [file = '', ...args] = argv
    // Of a login of root, and nothing of the test's own.
    const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    // In a session of its own there is no terminal that a program could ask for a password.
    return spawn(file, args, { stdio, detached: true, env: { PATH, HOME: '/root', LANG: 'C.UTF-8', ...env } })
  }
}

/** Control groups are the kernel's, in no namespace, and outlive their processes; those take a moment to end. */
function removed(name: string): boolean {
  try {
    const groups = globSync(`/sys/fs/cgroup/{,*/}${name}{,/**/}`)
    for (const group of groups.toSorted((a, b) => b.length - a.length)) rmdirSync(group)
    return true
  } catch {
    return false
  }
}

/** Of a process that has only one. */
function childOf(pid: number | string | undefined): string | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? undefined : children
}
