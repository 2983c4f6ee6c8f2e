/** The composed API for tests that go through the contract row by row: rows of any status, requests of any version. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ABSENT } from '../../src/domain/container/status.ts'
import type { ContainerStatus } from '../../src/domain/container/types.ts'
import type { NewContainer } from '../../src/orchestration/ports/store.ts'
import { aContainer, aSpec } from './builders.ts'
import { injected } from './injected.ts'
import { inventory } from './live-api.ts'
import { SimMachine, type SimMachineOptions, type User } from './sim-machine.ts'

/** A host without an agent: what is accepted for it stays accepted, and its rows stay as they were written. */
export const QUIET_HOST = 'quiet-host'

export interface SpecApiOptions extends SimMachineOptions {
  readonly quietHost?: boolean
}

export interface Request {
  readonly as?: User
  readonly minor?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly body: unknown
  /** Of the first error: what follows `container.`, and the sentence. */
  readonly code: string | undefined
  readonly title: string
}

export class SpecApi {
  readonly machine: SimMachine

  private constructor(machine: SimMachine) {
    this.machine = machine
  }

  /** `quietHost`: false leaves only the host that works. */
  static async start({ quietHost = true, ...options }: SpecApiOptions = {}): Promise<SpecApi> {
    const api = new SpecApi(await SimMachine.start(options))
    if (!quietHost) return api
    await api.machine.store.write(async (tx) => {
      const hello = { host: QUIET_HOST, availabilityZone: 'nova', uuidIfNew: randomUUID() }
      const epoch = await tx.hosts.beginSession(hello)
      await tx.hosts.heartbeat(QUIET_HOST, epoch, { engineTrouble: null, inventory })
      // Nothing is placed there by a scheduler.
      await tx.hosts.setDisabled(QUIET_HOST, true, 'nobody works there')
    })
    return api
  }

  async stop(): Promise<void> {
    await this.machine.stop()
  }

  /** `POST /v1/containers?run=true` and the like. */
  async ask(line: string, { as = 'alice', minor = 40, body, headers = {} }: Request = {}): Promise<Answer> {
    const at = line.indexOf(' ')
    const request = {
      method: line.slice(0, at),
      url: line.slice(at + 1),
      headers: {
        'x-auth-token': this.machine.token(as),
        'openstack-api-version': `container 1.${minor}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    }
    const answer = await injected(this.machine.app, request, this.machine)
    const isJson = String(answer.headers['content-type']).startsWith('application/json')
    const parsed: unknown = answer.body === '' || !isJson ? undefined : JSON.parse(answer.body)
    const [error] = (parsed as { errors?: { code: string; title: string }[] } | null | undefined)?.errors ?? []
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: parsed,
      code: error?.code.replace(/^container\./, ''),
      title: error?.title ?? '',
    }
  }

  /** A container as if it had come to this status, on a host that does nothing. */
  async row(patch: Partial<NewContainer> & { readonly status?: ContainerStatus } = {}): Promise<string> {
    const uuid = patch.uuid ?? randomUUID()
    const container = aContainer({
      projectId: this.machine.projectId('red'),
      host: QUIET_HOST,
      spec: aSpec({ interactive: true }),
      ...patch,
      uuid,
    })
    await this.machine.store.write(async (tx) => {
      await tx.containers.insert(container)
      await tx.containers.update(uuid, { observed: { ...ABSENT, state: 'running', engineId: 'e'.repeat(64) } })
    })
    return uuid
  }

  /** A container made by a request, on the machine's own host; it must be accepted. */
  async made(body: object, request: Request = {}): Promise<Record<string, unknown> & { readonly uuid: string }> {
    const answer = await this.ask('POST /v1/containers', {
      ...request,
      body: { image: 'busybox', memory: 64, ...body },
    })
    assert.equal(answer.status, 202, answer.title)
    return answer.body as Record<string, unknown> & { uuid: string }
  }
}
