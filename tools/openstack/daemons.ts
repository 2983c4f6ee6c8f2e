import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeName, Places } from './places.ts'

const READY_TIMEOUT_MS = 120_000
const POLL_MS = 100
const TAIL_LINES = 25

export interface Daemon {
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** Where it does not run on the controller, on which this process is. */
  readonly node?: NodeName
}

export interface Started {
  /** Resolves when the condition holds, and fails with the end of its log when it does not come up. */
  ready(holds: () => Promise<boolean>): Promise<void>
}

/** Leaves a program running, with its output in a log of its own, and notes how. It ends with the cloud's first process. */
export function startDaemon(places: Places, daemon: Daemon): Started {
  const file = places.log(daemon.name)
  const log = openSync(file, 'a')
  const [command, ...args] = [...enterNode(places, daemon.node), ...daemon.argv] as [string, ...string[]]
  const env = { ...systemEnvironment(), ...daemon.env }
  const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true, env, cwd: '/' })
  closeSync(log)
  writeFileSync(places.daemon(daemon.name), JSON.stringify({ daemon, pid: child.pid }))
  let ended: string | undefined
  child.on('error', ({ message }) => (ended = message))
  child.on('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
  child.unref()
  return {
    async ready(holds) {
      const deadline = performance.now() + READY_TIMEOUT_MS
      while (!(await holds())) {
        const late = performance.now() > deadline
        if (late || ended !== undefined) {
          const tail = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
          throw new Error(`${daemon.name} does not come up (${ended ?? 'no answer in time'}); its log:\n${tail}`)
        }
        await sleep(POLL_MS)
      }
    },
  }
}

/** Put before a command that runs on the controller, it runs on the other node. */
export function enterNode(places: Places, node: NodeName | undefined): string[] {
  if (node === undefined) return []
  const pid = readFileSync(places.pidFile(node), 'utf8').trim()
  return ['nsenter', `--target=${pid}`, '--net', '--mount', '--uts', '--']
}

/** Stand-ins for programs that the distribution has broken. */
const STAND_INS = join(import.meta.dirname, 'bin')

/** Programs of the distribution with what the distribution has, whatever the caller has set up for himself. */
export function systemEnvironment(): Record<string, string> {
  return {
    PATH: `${STAND_INS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    LC_ALL: 'C.UTF-8',
    HOME: '/root',
  }
}

/** Does something at this address answer, and not that it is broken? */
export async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: 'manual' })
    return status < 500
  } catch {
    return false
  }
}

export async function accepts(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
