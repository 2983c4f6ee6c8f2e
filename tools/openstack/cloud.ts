/**
 * Real OpenStack services on this machine, in namespaces of their own: their ports, bridges, firewall rules, mounts and
 * processes meet nobody else's, and all of it goes when their first process does.
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, globSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../test/run.ts'
import { NODES, Places, type NodeName } from './places.ts'
import { buildMountProgram } from './services/nfs.ts'

const START_TIMEOUT_MS = 8 * 60_000
const NODE_TIMEOUT_MS = 30_000
const POLL_MS = 50
const NAMESPACES = ['--net', '--mount', '--uts', '--ipc']

export class OpenStackCloud {
  readonly places: Places
  /** Of the first process, as this process sees it. */
  readonly #pid: number

  private constructor(places: Places, pid: number) {
    this.places = places
    this.#pid = pid
  }

  /** `tied`: it ends with this process, however that ends. `directory`: must not exist yet. */
  static async start(o: { directory: string; tied: boolean; signal: AbortSignal }): Promise<OpenStackCloud> {
    if (process.getuid?.() !== 0) throw new Error('OpenStack services of our own can only be started by root')
    const places = new Places(o.directory)
    for (const name of ['etc', 'log', 'data', 'data/daemons']) mkdirSync(join(places.root, name), { recursive: true })
    const signal = AbortSignal.any([o.signal, AbortSignal.timeout(START_TIMEOUT_MS)])
    await run(['sh', join(import.meta.dirname, '../launcher/cgroups.sh')], { signal })
    if (!knowsNfs()) {
      const source = join(import.meta.dirname, 'mount-nfs.c')
      await buildMountProgram(places, source, join(places.root, 'mount.nfs'))
    }
    writeFileSync(
      join(places.root, 'hosts'),
      ['127.0.0.1 localhost', '::1 localhost', ...NODES.map(({ name, address }) => `${address} ${name}`), ''].join(
        '\n',
      ),
    )
    const cloud = new OpenStackCloud(places, await startFirstNode(places, o.tied))
    try {
      await cloud.#addSecondNode(signal)
      await run(cloud.#inside(process.execPath, join(import.meta.dirname, 'bring-up.ts'), places.root), { signal })
      return cloud
    } catch (error) {
      await cloud.stop()
      throw error
    }
  }

  /** One that somebody has left running in this directory. */
  static find(directory: string): OpenStackCloud | undefined {
    const places = new Places(directory)
    try {
      const [pid = '', born] = readFileSync(join(directory, 'pid'), 'utf8').trim().split(' ')
      return born === birthOf(Number(pid)) ? new OpenStackCloud(places, Number(pid)) : undefined
    } catch {
      return undefined
    }
  }

  /** Put before a command, it runs on the first node. */
  get enter(): string[] {
    return ['nsenter', `--target=${this.#pid}`, ...NAMESPACES, '--pid', '--', 'env', `--chdir=${process.cwd()}`]
  }

  /** Ends every process of it at once; nothing is kept. */
  async stop(): Promise<void> {
    const born = birthOf(this.#pid)
    if (born !== undefined) {
      process.kill(this.#pid, 'SIGKILL')
      for (;;) {
        if (birthOf(this.#pid) !== born) break
        await sleep(POLL_MS)
      }
    }
    removeControlGroups(this.places.controlGroup)
    rmSync(this.places.root, { recursive: true, force: true, maxRetries: 5 })
  }

  async #addSecondNode(signal: AbortSignal): Promise<void> {
    const [first, second] = NODES
    const start = ['unshare', ...NAMESPACES, '--', 'sh', join(import.meta.dirname, 'node.sh')]
    const [file, ...args] = this.#inside(...start, second.name, this.places.root)
    const child = spawn(file, args, { stdio: 'ignore', detached: true })
    child.unref()
    const pid = await pidIn(this.places, second.name)
    const ip = async (at: readonly string[], line: string): Promise<unknown> =>
      run(this.#inside(...at, 'ip', ...line.split(' ')), { signal })
    await ip([], `link add cable0 type veth peer name cable0 netns ${pid}`)
    const there = ['nsenter', `--target=${pid}`, '--net', '--']
    for (const { at, address } of [
      { at: [], address: first.address },
      { at: there, address: second.address },
    ]) {
      await ip(at, `addr add ${address}/24 dev cable0`)
      await ip(at, 'link set cable0 up')
    }
  }

  #inside(...argv: readonly string[]): [string, ...string[]] {
    return ['env', ...this.enter, ...argv]
  }
}

async function startFirstNode(places: Places, tied: boolean): Promise<number> {
  const [{ name }] = NODES
  const log = openSync(places.log('nodes'), 'a')
  const unshare = ['unshare', ...NAMESPACES, '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'sh']
  const start = [...unshare, join(import.meta.dirname, 'node.sh'), name, places.root]
  // The kernel passes the end of this process on to unshare, and that of unshare to the first process.
  const [file = '', ...args] = tied ? ['setpriv', '--pdeathsig', 'KILL', '--', ...start] : start
  const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  child.unref()
  await pidIn(places, name)
  const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim())
  writeFileSync(join(places.root, 'pid'), `${pid} ${birthOf(pid)}`)
  return pid
}

async function pidIn(places: Places, node: NodeName): Promise<string> {
  const deadline = performance.now() + NODE_TIMEOUT_MS
  for (;;) {
    try {
      const text = readFileSync(places.pidFile(node), 'utf8')
      if (text.endsWith('\n')) return text.trim()
    } catch {
      // Not there yet.
    }
    if (performance.now() > deadline) {
      throw new Error(`${node} does not start:\n${readFileSync(places.log('nodes'), 'utf8').slice(-2_000)}`)
    }
    await sleep(POLL_MS)
  }
}

/** When a process was started, so that a later one with its number is not taken for it. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Of the engines' containers. They are the kernel's, in no namespace, and outlive their processes. */
function removeControlGroups(name: string): void {
  const directories = globSync(`/sys/fs/cgroup/{,*/}${name}{,/**/}`)
  for (const directory of directories.toSorted((a, b) => b.length - a.length)) {
    try {
      rmdirSync(directory)
    } catch {
      // A process that is about to end holds it for a moment; an empty group costs nothing.
    }
  }
}

function knowsNfs(): boolean {
  return /\tnfs$/m.test(readFileSync('/proc/filesystems', 'utf8'))
}
