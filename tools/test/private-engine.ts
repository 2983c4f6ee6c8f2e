import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { canUnshareNetwork } from './needs.ts'
import { run } from './run.ts'

const START_TIMEOUT_MS = 60_000
/** It stops its containers first, each with its own time. */
const STOP_TIMEOUT_MS = 30_000

/**
 * A Docker Engine of our own, in a directory of its own.
 *
 * It lives in a network namespace of its own where the machine allows that. An engine that starts writes its chains of
 * firewall rules anew: in the machine's own network it would take away those of the engine that is in use there.
 * Whatever wants to reach its containers by network runs through `enter`.
 */
export class PrivateEngine {
  readonly directory: string
  readonly #args: readonly string[]
  readonly #ownNetwork: boolean
  #process: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()

  private constructor(directory: string, args: readonly string[], ownNetwork: boolean) {
    this.directory = directory
    this.#args = args
    this.#ownNetwork = ownNetwork
  }

  /** `args`: further options of dockerd. `inThisNetwork`: in the network of this process, whatever that costs others. */
  static async start(o: {
    signal: AbortSignal
    args?: readonly string[]
    inThisNetwork?: boolean
  }): Promise<PrivateEngine> {
    if (process.getuid?.() !== 0) throw new Error('a container engine of our own can only be started by root')
    const engine = new PrivateEngine(
      mkdtempSync(join(tmpdir(), 'zund-engine-')),
      o.args ?? [],
      o.inThisNetwork !== true && canUnshareNetwork(),
    )
    try {
      await run(['sh', join(import.meta.dirname, '../launcher/cgroups.sh')], o)
      await engine.begin(o)
      return engine
    } catch (error) {
      await engine.stop()
      throw error
    }
  }

  get socketPath(): string {
    return join(this.directory, 'docker.sock')
  }

  /** Of dockerd, while it runs. */
  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('the engine does not run')
    return pid
  }

  /** Put before a command, it runs in the engine's network. */
  get enter(): string[] {
    return this.#ownNetwork ? ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--'] : []
  }

  /** Starts dockerd again on the same data, after `end` or after somebody killed it. */
  async begin(o: { signal: AbortSignal }): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a')
    // When this process dies, however it dies, the kernel tells dockerd to end.
    const dockerd = [
      'dockerd',
      `--data-root=${join(this.directory, 'data')}`,
      `--exec-root=${join(this.directory, 'exec')}`,
      `--pidfile=${join(this.directory, 'pid')}`,
      `--host=unix://${this.socketPath}`,
      '--iptables=true',
      ...this.#args,
    ]
    const tied = ['setpriv', '--pdeathsig', 'TERM', '--', ...dockerd]
    const [file = '', ...args] = this.#ownNetwork ? ['unshare', '--net', '--', ...tied] : tied
    // Detached: Ctrl-C in a terminal must reach it last, through `stop`.
    const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    this.#process = child
    this.#ended = new Promise((resolve) => {
      child.on('error', () => resolve())
      child.on('exit', () => resolve())
    })
    await this.#untilItAnswers(AbortSignal.any([o.signal, AbortSignal.timeout(START_TIMEOUT_MS)]))
    if (this.#ownNetwork) await this.#furnishNetwork(o)
  }

  /** Ends dockerd as an operator would and keeps its data. */
  async end(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    child.kill('SIGTERM')
    const gone = await Promise.race([this.#ended.then(() => true), sleep(STOP_TIMEOUT_MS, false, { ref: false })])
    if (!gone) {
      child.kill('SIGKILL')
      await this.#ended
    }
    this.#process = undefined
  }

  /** As a crash would: its containers run on, without anybody who watches them. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#ended
    this.#process = undefined
  }

  /** Ends it and removes all it had. */
  async stop(): Promise<void> {
    await this.end()
    this.#killContainerd()
    await this.#unmountRest()
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  async #untilItAnswers(signal: AbortSignal): Promise<void> {
    while (!(await answersPing(this.socketPath))) {
      if (signal.aborted || this.#process?.exitCode !== null) {
        throw new Error(`the test engine did not start; the end of its log:\n${this.#logTail()}`)
      }
      await sleep(50)
    }
  }

  /** As a machine has it: loopback, an address by which others would know it, and a way out that leads nowhere. */
  async #furnishNetwork(o: { signal: AbortSignal }): Promise<void> {
    const ip = async (line: string): Promise<string> => run([...this.enter, 'ip', ...line.split(' ')] as [string], o)
    await ip('link set lo up')
    await ip('link add host0 type veth peer name host1')
    await ip('addr add 198.18.213.1/24 dev host0')
    await ip('-6 addr add fd00:213::1/64 dev host0 nodad')
    for (const name of ['host0', 'host1']) await ip(`link set ${name} up`)
    await ip('route add default via 198.18.213.2')
    await ip('-6 route add default via fd00:213::2')
  }

  #logTail(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8').trimEnd().split('\n').slice(-8).join('\n')
  }

  /** It is dockerd's child and survives when dockerd had to be killed. */
  #killContainerd(): void {
    try {
      const pid = Number(readFileSync(join(this.directory, 'exec/containerd/containerd.pid'), 'utf8'))
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      if (name === 'containerd') process.kill(pid, 'SIGKILL')
    } catch {
      // The usual case: dockerd took it along.
    }
  }

  async #unmountRest(): Promise<void> {
    const points = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((point) => point.startsWith(`${this.directory}/`))
    for (const point of points.toReversed()) {
      await run(['umount', '--lazy', point], { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
    }
  }
}

export async function answersPing(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const req = request({ socketPath, path: '/_ping', timeout: 5_000, headers: { Host: 'engine' } }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    req.on('timeout', () => req.destroy())
    req.on('error', () => resolve(false))
    req.end()
  })
}
