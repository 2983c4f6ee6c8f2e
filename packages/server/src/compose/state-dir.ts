import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../domain/errors.ts'
import { ConfigError } from './config/config-error.ts'

/** What a running service says of itself, for `down`, `status` and a second `up`. */
export interface RunRecord {
  readonly pid: number
  /** Start of that process in clock ticks since boot, so that a reused pid is not taken for it. */
  readonly startTicks: string
  readonly endpoint: string
  readonly terminals: string
  readonly engine: string
  readonly host: string
  readonly roles: readonly string[]
  readonly startedAt: string
}

const EXCLUSIVE = 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE'
/** Milliseconds that another one may take to look whether it is held. */
const LOOK_MS = 200
/** A read that does not end. */
const SHARED = 'BEGIN; SELECT name FROM sqlite_master'

/** The files of one machine's service. Everything in it is readable by its owner only. */
export class StateDir {
  readonly path: string
  #locks: DatabaseSync[] = []

  constructor(path: string) {
    this.path = path
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** ConfigError when the directory cannot be made or written. */
  prepare(): void {
    try {
      makeDirectory(this.path)
      chmodSync(this.path, 0o700)
      const probe = this.file('.writable')
      writeFileSync(probe, '')
      // Another role may be doing the same.
      rmSync(probe, { force: true })
    } catch (error) {
      throw new ConfigError(`the state directory ${this.path} cannot be written: ${messageOf(error)}`)
    }
  }

  /**
   * Takes the directory for this process; false when another process has it. The kernel gives it back however this
   * process ends: the lock is SQLite's own on an empty database, since Node has no file locks to offer.
   */
  lock(): boolean {
    return this.#take('lock', EXCLUSIVE)
  }

  /** Beside other roles: false when this role runs already, or all of them do in one process. */
  lockFor(role: string): boolean {
    if (this.#take('lock', SHARED) && this.#take(`lock.${role}`, EXCLUSIVE)) return true
    this.unlock()
    return false
  }

  unlock(): void {
    for (const lock of this.#locks) lock.close()
    this.#locks = []
  }

  #take(file: string, how: string): boolean {
    const lock = new DatabaseSync(this.file(file), { timeout: LOOK_MS })
    try {
      lock.exec(how)
    } catch {
      lock.close()
      return false
    }
    this.#locks.push(lock)
    return true
  }

  /** Whether a process runs this role by itself. */
  isHeldFor(role: string): boolean {
    if (!existsSync(this.file(`lock.${role}`))) return false
    const isFree = this.#take(`lock.${role}`, SHARED)
    this.unlock()
    return !isFree
  }

  writeRunRecord(record: RunRecord): void {
    this.write('run.json', `${JSON.stringify(record, null, 2)}\n`)
  }

  removeRunRecord(): void {
    rmSync(this.file('run.json'), { force: true })
  }

  readRunRecord(): RunRecord | undefined {
    try {
      return JSON.parse(readFileSync(this.file('run.json'), 'utf8')) as RunRecord
    } catch {
      return undefined
    }
  }

  read(name: string): string | undefined {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : undefined
  }

  /** Whole or not at all, and only for the owner. */
  write(name: string, content: string): void {
    const temporary = this.file(`.${name}.new`)
    writeFileSync(temporary, content, { mode: 0o600 })
    chmodSync(temporary, 0o600)
    renameSync(temporary, this.file(name))
  }
}

/** Step by step: Node's recursive mkdir never returns where the file system answers ENOENT, as /proc does. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

/**
 * Start time of a process in clock ticks since boot (proc(5), stat field 22); undefined when there is no such process. One
 * that has ended and that nobody has asked about yet (in a container without an init: for ever) is none.
 */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
