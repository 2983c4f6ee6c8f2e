import { EngineConflict, EngineNotFound, EngineRefused } from '../../domain/errors.ts'
import type { Clock } from '../../orchestration/ports/clock.ts'
import type { EngineContainer, EngineCreateRequest, EngineEndpoint } from '../../orchestration/ports/engine.ts'
import type { Cpuset, EngineState } from '../../orchestration/ports/wire.ts'
import type { SimFiles } from './sim-files.ts'
import type { SimImage } from './sim-images.ts'
import { SimLogs } from './sim-logs.ts'
import type { SimNetworks } from './sim-networks.ts'
import { findProgram, type Program, type ProgramIo } from './sim-program.ts'

/** How a container's process behaves, instead of what its command line says. */
export interface SimBehaviour {
  readonly exitAfterMs: number
  readonly exitCode: number
}

/** What a container needs of its engine. */
export interface SimHost {
  readonly clock: Clock
  readonly networks: SimNetworks
  /** Engine's wall clock: never the same twice. */
  stamp(): number
  emit(container: SimContainer, action: string, exitCode?: number): void
  behaviourOf(containerUuid: string): SimBehaviour | undefined
  byEngineId(engineId: string): SimContainer | undefined
  /** The engine removes it by itself (auto-remove). */
  dropped(container: SimContainer): void
}

/** Exit code of a process that was killed: 128 + SIGKILL. */
export const KILLED = 137
/** Pause before the engine restarts a container by its policy; doubles each time. */
const FIRST_RESTART_MS = 100

/** One engine container: its state, its one process, its files and its output. */
export class SimContainer {
  readonly engineId: string
  readonly request: EngineCreateRequest
  readonly files: SimFiles
  readonly logs = new SimLogs()
  /** Networks it is configured for; in use only while it runs. */
  readonly endpoints = new Map<string, EngineEndpoint>()
  state: EngineState = 'created'
  memoryMiB: number
  cpu: number
  cpuset: Cpuset | null
  readonly #host: SimHost
  readonly #image: SimImage
  /** Engine id of the container whose namespaces it joins. */
  readonly #joined: string | null
  #startedAtMs: number | null = null
  #finishedAtMs: number | null = null
  #exitCode = 0
  #oomKilled = false
  #error = ''
  #restartCount = 0
  #life: AbortController | undefined
  /** Exit code of a process that ended while the container was paused. */
  #endedWhilePaused: number | undefined
  /** Resolve when the process is gone. */
  #waiting: (() => void)[] = []

  constructor(host: SimHost, engineId: string, request: EngineCreateRequest, image: SimImage, joined: string | null) {
    this.#joined = joined
    this.#host = host
    this.engineId = engineId
    this.request = request
    this.#image = image
    this.files = image.files.clone()
    this.memoryMiB = request.memoryMiB
    this.cpu = request.cpu
    this.cpuset = request.cpuset
    if (request.cpuset !== null) this.pinTo(request.cpuset)
    for (const mount of request.mounts) this.files.makeDirectory(mount.destination)
    if (request.endpoint !== null) this.endpoints.set(request.endpoint.network, request.endpoint)
  }

  /** Its processes see what they may use. */
  pinTo(cpuset: Cpuset): void {
    this.cpuset = cpuset
    const lines = [
      `Cpus_allowed_list:\t${cpuset.cpus.join(',')}`,
      `Mems_allowed_list:\t${cpuset.mems.join(',') || '0'}`,
    ]
    this.files.write('/proc/self/status', `${lines.join('\n')}\n`)
  }

  get uuid(): string {
    return this.request.containerUuid
  }

  get imageId(): string {
    return this.#image.id
  }

  get isLive(): boolean {
    return this.state === 'running' || this.state === 'paused'
  }

  get commandLine(): readonly string[] {
    const { command, entrypoint } = this.#config
    return [...(entrypoint ?? []), ...(command ?? [])]
  }

  get #config() {
    const { request } = this
    return {
      command: request.command ?? this.#image.command,
      entrypoint: request.entrypoint ?? this.#image.entrypoint,
    }
  }

  inspect(): EngineContainer {
    const { request } = this
    return {
      containerUuid: this.uuid,
      engineId: this.engineId,
      networks: [...this.endpoints.keys()],
      seen: {
        state: this.state,
        engineId: this.engineId,
        generation: request.generation,
        startedAtMs: this.#startedAtMs,
        finishedAtMs: this.#finishedAtMs,
        exitCode: this.#startedAtMs === null ? null : this.isLive ? 0 : this.#exitCode,
        oomKilled: this.#oomKilled,
        error: this.#error,
        restartCount: this.#restartCount,
        hostname: request.hostname ?? this.engineId.slice(0, 12),
        ports: request.exposedPorts.map((port) => Number.parseInt(port, 10)),
        runtime: request.runtime ?? 'runc',
        command: this.#config.command === null ? null : [...this.#config.command],
        entrypoint: this.#config.entrypoint === null ? null : [...this.#config.entrypoint],
      },
    }
  }

  start(): void {
    if (this.state === 'paused') throw new EngineConflict('cannot start a paused container, try unpause instead')
    if (this.state === 'running') return
    try {
      this.#join()
      const program = this.#program()
      for (const endpoint of this.endpoints.values()) this.#host.networks.join(this.uuid, endpoint)
      this.#error = ''
      this.#begin(program)
    } catch (error) {
      this.#leaveNetworks()
      this.#error = error instanceof Error ? error.message : String(error)
      if (this.request.autoRemove) this.#host.dropped(this)
      throw error
    }
  }

  #join(): void {
    if (this.#joined === null) return
    const other = this.#host.byEngineId(this.#joined)
    if (other === undefined) throw new EngineNotFound(`No such container: ${this.#joined}`)
    if (!other.isLive) throw new EngineConflict(`cannot join network of a non running container: ${this.#joined}`)
  }

  #program(): Program {
    const behaviour = this.#host.behaviourOf(this.uuid)
    if (behaviour !== undefined) {
      return async (io) => {
        await io.sleep(behaviour.exitAfterMs)
        return behaviour.exitCode
      }
    }
    const program = findProgram(this.commandLine, this.files)
    if (typeof program === 'string') throw new EngineRefused(`unable to start container process: ${program}`)
    return program
  }

  #begin(program: Program): void {
    const life = new AbortController()
    this.#life = life
    this.state = 'running'
    this.#oomKilled = false
    this.#startedAtMs = this.#host.stamp()
    this.#host.emit(this, 'start')
    program(this.#io(life.signal)).then(
      (code) => {
        if (!life.signal.aborted) this.exit(code)
      },
      () => undefined,
    )
  }

  #io(signal: AbortSignal): ProgramIo {
    const { tty, interactive } = this.request
    return {
      files: this.files,
      hasInput: interactive,
      write: (stream, text) =>
        this.logs.write(tty ? 'stdout' : stream, tty ? text.replaceAll('\n', '\r\n') : text, this.#host.stamp()),
      sleep: (ms) => this.#host.clock.sleep(ms, signal),
      forever: () => new Promise<never>(() => undefined),
    }
  }

  /** The process ends: by itself, or because it was killed. */
  exit(code: number, options: { oomKilled?: boolean; asked?: boolean } = {}): void {
    if (this.state === 'paused' && options.asked !== true) {
      this.#endedWhilePaused = code
      return
    }
    if (!this.isLive) return
    this.#life?.abort()
    this.state = 'exited'
    this.#exitCode = code
    this.#oomKilled = options.oomKilled ?? false
    this.#finishedAtMs = this.#host.stamp()
    this.#leaveNetworks()
    if (this.#oomKilled) this.#host.emit(this, 'oom')
    this.#host.emit(this, 'die', code)
    if (this.request.autoRemove) this.#host.dropped(this)
    else if (options.asked !== true && this.#mayRestart(code)) this.#restartLater()
    for (const go of this.#waiting.splice(0)) go()
  }

  #mayRestart(code: number): boolean {
    const policy = this.request.restartPolicy
    if (policy === null || policy.name === 'no') return false
    if (policy.name !== 'on-failure') return true
    return code !== 0 && (policy.maximumRetryCount === 0 || this.#restartCount < policy.maximumRetryCount)
  }

  #restartLater(): void {
    const waiting = new AbortController()
    this.#life = waiting
    this.state = 'restarting'
    this.#restartCount += 1
    this.#host.clock.sleep(FIRST_RESTART_MS * 2 ** (this.#restartCount - 1), waiting.signal).then(
      () => this.start(),
      () => undefined,
    )
  }

  #leaveNetworks(): void {
    for (const name of this.endpoints.keys()) this.#host.networks.leave(this.uuid, name)
  }

  /** SIGKILL. */
  kill(): void {
    if (this.state === 'restarting') {
      this.#life?.abort()
      this.state = 'exited'
      return
    }
    this.exit(KILLED, { asked: true })
  }

  /** As process 1 without a handler, it takes no notice of the polite signal and is killed when the time is over. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.state === 'restarting') this.kill()
    if (!this.isLive) return
    const gone = new AbortController()
    this.#waiting.push(() => gone.abort())
    await this.#host.clock.sleep(timeoutMs, gone.signal).catch(() => undefined)
    if (this.isLive) this.kill()
    this.#host.emit(this, 'stop')
  }

  pause(): void {
    if (this.state === 'paused') throw new EngineConflict(`Container ${this.engineId} is already paused`)
    if (this.state !== 'running') throw this.notRunning()
    this.state = 'paused'
    this.#host.emit(this, 'pause')
  }

  unpause(): void {
    if (this.state !== 'paused') throw new EngineConflict(`Container ${this.engineId} is not paused`)
    this.state = 'running'
    this.#host.emit(this, 'unpause')
    const code = this.#endedWhilePaused
    this.#endedWhilePaused = undefined
    if (code !== undefined) this.exit(code)
  }

  connect(endpoint: EngineEndpoint): void {
    this.#host.networks.require(endpoint.network)
    if (this.endpoints.has(endpoint.network)) return
    if (this.isLive) this.#host.networks.join(this.uuid, endpoint)
    this.endpoints.set(endpoint.network, endpoint)
  }

  disconnect(network: string): void {
    this.endpoints.delete(network)
    this.#host.networks.leave(this.uuid, network)
  }

  /** The engine forgets it: the process dies with it. */
  destroy(): void {
    this.#life?.abort()
    if (this.isLive) this.state = 'exited'
    this.#leaveNetworks()
    for (const go of this.#waiting.splice(0)) go()
  }

  notRunning(): EngineConflict {
    return new EngineConflict(`Container ${this.engineId} is not running`)
  }
}
