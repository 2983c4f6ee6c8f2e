import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Logger, Service } from '../../orchestration/ports/clock.ts'
import type { Doorbell } from '../../orchestration/ports/store.ts'
import { LocalDoorbell } from './local.ts'

export interface SocketDoorbellOptions {
  /** Shared by the processes of one machine that have the same database, and by nobody else. */
  readonly directory: string
  /** Of this process, no other's in the directory, now or before. */
  readonly name: string
  readonly log: Logger
}

/** A listener that takes nothing off its socket is not waited for; what it misses it finds when it looks by itself. */
const MOST_UNSENT_BYTES = 64 * 1024
/** Names of lanes are short; whoever sends more is none of us. */
const LONGEST_LINE = 1024

/**
 * Rings in all processes of one machine. Each listens on a socket of its own in a directory and writes the lane's name to
 * those of the others. A ring may be lost, as with every doorbell: whoever waits looks by himself now and then.
 */
export class SocketDoorbell implements Doorbell, Service {
  readonly #options: SocketDoorbellOptions
  readonly #local = new LocalDoorbell()
  readonly #server: Server
  readonly #heard = new Set<Socket>()
  readonly #others = new Map<string, Socket>()

  constructor(options: SocketDoorbellOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#hear(socket))
  }

  async start(): Promise<void> {
    const { directory } = this.#options
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    rmSync(this.#path, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#path, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of [...this.#heard, ...this.#others.values()]) socket.destroy()
    await closed
  }

  ring(lane: string): void {
    this.#local.ring(lane)
    for (const name of this.#namesOfOthers()) {
      const socket = this.#others.get(name) ?? this.#connect(name)
      if (socket.writableLength < MOST_UNSENT_BYTES) socket.write(`${lane}\n`)
    }
  }

  listen(lane: string, onRing: () => void, signal: AbortSignal): void {
    this.#local.listen(lane, onRing, signal)
  }

  get #path(): string {
    return join(this.#options.directory, socketName(this.#options.name))
  }

  #namesOfOthers(): string[] {
    const { directory, name } = this.#options
    try {
      return readdirSync(directory).filter((entry) => entry.endsWith('.sock') && entry !== socketName(name))
    } catch (error) {
      this.#options.log.warn({ err: error }, 'other processes cannot be told of work; they look by themselves')
      return []
    }
  }

  #connect(name: string): Socket {
    const socket = connect(join(this.#options.directory, name)).unref()
    this.#others.set(name, socket)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A process that was killed leaves its socket behind, and none will listen there again.
      if (error.code === 'ECONNREFUSED') rmSync(join(this.#options.directory, name), { force: true })
    })
    socket.on('close', () => this.#others.delete(name))
    socket.resume()
    return socket
  }

  #hear(socket: Socket): void {
    this.#heard.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#heard.delete(socket))
    createInterface({ input: socket }).on('line', (lane) => {
      if (lane.length <= LONGEST_LINE) this.#local.ring(lane)
    })
  }
}

function socketName(name: string): string {
  return `${name}.sock`
}
