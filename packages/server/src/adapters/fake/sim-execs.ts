import { EngineConflict, EngineNotFound } from '../../domain/errors.ts'
import type { Clock } from '../../orchestration/ports/clock.ts'
import type { ExecRequest, ExecResult } from '../../orchestration/ports/engine.ts'
import type { SimContainer } from './sim-container.ts'
import { findProgram } from './sim-program.ts'

interface SimExec {
  readonly container: SimContainer
  readonly request: ExecRequest
  state: 'created' | 'running' | 'done'
  size: { columns: number; rows: number } | null
}

/** What Docker gives when the program of an exec cannot be started. */
const CANNOT_RUN = 126

/** Further programs run in containers. */
export class SimExecs {
  readonly #clock: Clock
  readonly #execs = new Map<string, SimExec>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  create(id: string, container: SimContainer, request: ExecRequest): void {
    if (container.state === 'paused') {
      throw new EngineConflict(`Container ${container.uuid} is paused, unpause the container before exec`)
    }
    if (container.state !== 'running') throw container.notRunning()
    this.#execs.set(id, { container, request, state: 'created', size: null })
  }

  containerOf(id: string): string | null {
    return this.#execs.get(id)?.container.uuid ?? null
  }

  /** Has it a terminal? */
  isTty(id: string): boolean {
    const { request } = this.#require(id)
    return request.tty ?? request.interactive
  }

  async run(id: string, maxBytes: number, signal: AbortSignal): Promise<ExecResult> {
    const exec = this.#require(id)
    const { container, request } = exec
    if (exec.state !== 'created') throw new EngineConflict(`exec ${id} has already run`)
    if (container.state !== 'running') throw container.notRunning()
    exec.state = 'running'
    let text = ''
    const program = findProgram(request.command, container.files)
    let exitCode = CANNOT_RUN
    if (typeof program === 'string') text = `OCI runtime exec failed: ${program}\n`
    else {
      exitCode = await program({
        files: container.files,
        hasInput: false,
        write: (_stream, more) => {
          text += more
        },
        sleep: (ms) => this.#clock.sleep(ms, signal),
        forever: () => this.#clock.sleep(Number.MAX_SAFE_INTEGER, signal) as Promise<never>,
      })
    }
    exec.state = 'done'
    const output = Buffer.from(this.isTty(id) ? text.replaceAll('\n', '\r\n') : text)
    const truncated = output.length > maxBytes
    return { output: truncated ? output.subarray(0, maxBytes) : output, exitCode, truncated }
  }

  resize(containerUuid: string, id: string, size: { columns: number; rows: number }): void {
    const exec = this.#require(id)
    if (exec.container.uuid !== containerUuid) throw new EngineNotFound(`No such exec instance: ${id}`)
    if (exec.state !== 'running') throw new EngineNotFound(`exec ${id} does not run`)
    exec.size = size
  }

  /** The container is gone, and its execs with it. */
  forget(container: SimContainer): void {
    for (const [id, exec] of this.#execs) if (exec.container === container) this.#execs.delete(id)
  }

  #require(id: string): SimExec {
    const found = this.#execs.get(id)
    if (found === undefined) throw new EngineNotFound(`No such exec instance: ${id}`)
    return found
  }
}
