/** An Open vSwitch of the userspace datapath, in a network namespace of its own, for as long as a test needs it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostCommand } from '../../src/adapters/host-command/host-command.ts'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { until } from './until.ts'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const command = new ProcessCommand()
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

export class OpenVSwitchOfATest {
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-ovs-'))
  readonly #processes: ChildProcess[] = []
  #namespace = ''

  /** Runs programs in its network, where they find it. */
  readonly inside: HostCommand = {
    run: async (program, args, o) => {
      const enter = [`--net=${this.#namespace}`, '--', 'env', `OVS_RUNDIR=${this.#directory}`]
      return await command.run('nsenter', [...enter, program, ...args], o)
    },
  }

  async start(bridge: string): Promise<void> {
    const holder = this.#spawn('unshare', ['--net', '--', 'sleep', 'infinity'])
    this.#namespace = `/proc/${holder.pid}/ns/net`
    const own = `/proc/${process.pid}/ns/net`
    await until('the network namespace is there', async () => {
      const { stdout } = await command.run('stat', ['-L', '-c', '%i', this.#namespace, own], soon())
      const [theirs, ours] = stdout.trim().split('\n')
      return theirs !== undefined && ours !== undefined && theirs !== ours
    })
    const database = join(this.#directory, 'conf.db')
    const socket = join(this.#directory, 'db.sock')
    await this.must('ip', 'link', 'set', 'lo', 'up')
    await this.must('ovsdb-tool', 'create', database, SCHEMA)
    this.#spawnInside('ovsdb-server', [database, `--remote=punix:${socket}`])
    await until('the database answers', async () => await this.#works('ovs-vsctl', '--timeout=2', '--no-wait', 'init'))
    this.#spawnInside('ovs-vswitchd', [`unix:${socket}`])
    const options = ['--', 'set', 'Bridge', bridge, 'datapath_type=netdev', 'fail_mode=standalone']
    await this.must('ovs-vsctl', '--timeout=20', 'add-br', bridge, ...options)
  }

  async must(program: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.inside.run(program, args, soon())
    if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.toReversed()) {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #works(program: string, ...args: string[]): Promise<boolean> {
    return (await this.inside.run(program, args, soon())).exitCode === 0
  }

  #spawnInside(program: string, args: readonly string[]): void {
    const pid = join(this.#directory, `${program}.pid`)
    const enter = [`--net=${this.#namespace}`, '--', 'env', `OVS_RUNDIR=${this.#directory}`]
    this.#spawn('nsenter', [...enter, program, ...args, `--pidfile=${pid}`, '--log-file=/dev/null'])
  }

  /** Ends with this process, however that ends. */
  #spawn(file: string, args: readonly string[]): ChildProcess {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', file, ...args], { stdio: 'ignore' })
    this.#processes.push(child)
    return child
  }
}
