/** A real engine and real containers, for tests of what an adapter does to the host. */
import { randomUUID } from 'node:crypto'
import { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import type { EngineCreateRequest } from '../../src/orchestration/ports/engine.ts'
import { TestEngine } from './test-engine.ts'

export const IMAGE = 'busybox:latest'
const DEADLINE_MS = 20_000
const POLL_MS = 50

export function testEngine(): DockerEngine {
  const socketPath = process.env['ZUND_TEST_ENGINE']
  if (socketPath === undefined || socketPath === '') {
    throw new Error('ZUND_TEST_ENGINE must name the unix socket of a container engine')
  }
  return new DockerEngine({
    socketPath,
    callTimeoutMs: 30_000,
    pullStallMs: 30_000,
    deployment: randomUUID(),
    hardening: { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 1, defaultRuntime: null },
  })
}

/** A fresh deadline, for one call. */
export function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(60_000) }
}

/** Makes containers and takes them away again. */
export class Containers {
  readonly engine: DockerEngine
  readonly #made: string[] = []

  constructor(engine: DockerEngine) {
    this.engine = engine
  }

  /** Starts a container that stays, unless a command is given. Returns its uuid. */
  async run(change: Partial<EngineCreateRequest> = {}): Promise<string> {
    const uuid = randomUUID()
    this.#made.push(uuid)
    await this.engine.create(aCreateRequest(uuid, change), soon())
    await this.engine.start(uuid, soon())
    return uuid
  }

  /** Runs a shell command line inside. */
  async sh(uuid: string, line: string): Promise<{ exitCode: number | null; output: string }> {
    const exec = await this.engine.createExec(uuid, { command: ['sh', '-c', line], interactive: false }, soon())
    const { exitCode, output } = await this.engine.runExec(exec, 1_000_000, soon())
    return { exitCode, output: output.toString('utf8') }
  }

  /** The first process of the container, as the host numbers it. Others in its cgroup may be on their way out. */
  async pid(uuid: string): Promise<string> {
    const { State } = await new TestEngine().api<{ State: { Pid: number } }>('GET', `/containers/zun-${uuid}/json`)
    if (State.Pid === 0) throw new Error(`container ${uuid} has no process`)
    return String(State.Pid)
  }

  async removeAll(): Promise<void> {
    for (const uuid of this.#made.splice(0)) await this.engine.remove(uuid, true, soon())
  }
}

function aCreateRequest(uuid: string, change: Partial<EngineCreateRequest>): EngineCreateRequest {
  return {
    name: `zun-${uuid}`,
    containerUuid: uuid,
    projectId: 'test',
    generation: 1,
    image: IMAGE,
    command: ['sleep', '600'],
    entrypoint: null,
    environment: {},
    labels: {},
    workdir: null,
    hostname: null,
    exposedPorts: [],
    tty: false,
    interactive: false,
    cpu: 0,
    memoryMiB: 0,
    diskGiB: 0,
    cpuset: null,
    restartPolicy: null,
    healthcheck: null,
    autoRemove: false,
    privileged: false,
    runtime: null,
    mounts: [],
    endpoint: null,
    namespaces: null,
    ...change,
  }
}

/** Asks until the answer is yes; for things that the kernel or the engine needs a moment for. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${DEADLINE_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
