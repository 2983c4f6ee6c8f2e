/** Capsules on a real engine, through the real API. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import type { ApiClient } from './api-client.ts'
import { dockerEngine } from './docker-harness.ts'
import { soon } from './engine-harness.ts'
import { deploymentOf } from './test-engine.ts'
import { until } from './until.ts'
import type { ZundProcess } from './zund-process.ts'

export interface MemberBody {
  readonly uuid: string
  readonly name: string
  readonly status: string
  readonly addresses: unknown
}

export interface CapsuleBody {
  readonly uuid: string
  readonly status: string
  readonly status_reason: string | null
  readonly addresses: Readonly<Record<string, readonly { addr: string; version: number }[]>>
  readonly containers: readonly MemberBody[]
  readonly init_containers: readonly MemberBody[]
}

/** Ends when it is told to, and with exit code 0. */
export const WAITS = {
  image: 'busybox',
  imagePullPolicy: 'never',
  command: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'],
}
export const SERVES = {
  image: 'busybox',
  imagePullPolicy: 'never',
  command: ['sh', '-c', 'mkdir -p /w; echo served >> /w/served; trap "exit 0" TERM; httpd -f -p 8080 -h /w & wait'],
}

export class CapsuleStage {
  readonly zund: ZundProcess
  readonly client: ApiClient
  readonly engine: DockerEngine
  readonly deployment: string

  private constructor(zund: ZundProcess, client: ApiClient) {
    this.zund = zund
    this.client = client
    this.engine = dockerEngine(zund.engine.socketPath)
    this.deployment = deploymentOf(join(zund.stateDir, 'zund.sqlite'))
  }

  /** As an admin, who may say that nothing is to be pulled. */
  static async on(zund: ZundProcess): Promise<CapsuleStage> {
    return new CapsuleStage(zund, await zund.client('zund-admin'))
  }

  async create(spec: object): Promise<CapsuleBody> {
    const template = { kind: 'capsule', metadata: { name: 'pod' }, spec }
    return await this.client.expect<CapsuleBody>(202, 'POST', '/v1/capsules', { body: { template } })
  }

  async run(spec: object): Promise<CapsuleBody> {
    return await this.waitFor((await this.create(spec)).uuid, ({ status }) => status === 'Running')
  }

  async show(uuid: string): Promise<CapsuleBody> {
    return await this.client.expect<CapsuleBody>(200, 'GET', `/v1/capsules/${uuid}`)
  }

  /** Fails at once when it is in Error and that is not what is waited for. */
  async waitFor(uuid: string, isWanted: (capsule: CapsuleBody) => boolean): Promise<CapsuleBody> {
    return await until('the capsule is as wanted', async () => {
      const capsule = await this.show(uuid)
      if (isWanted(capsule)) return capsule
      assert.notEqual(capsule.status, 'Error', capsule.status_reason ?? '')
      return undefined
    })
  }

  async delete(uuid: string): Promise<void> {
    await this.client.expect(204, 'DELETE', `/v1/capsules/${uuid}`)
    await until(
      'the capsule is gone',
      async () => (await this.client.call('GET', `/v1/capsules/${uuid}`)).status === 404,
    )
  }

  async deleteAll(): Promise<void> {
    const { capsules } = await this.client.expect<{ capsules: readonly CapsuleBody[] }>(200, 'GET', '/v1/capsules')
    for (const { uuid } of capsules) await this.delete(uuid)
  }

  async exec({ uuid }: { readonly uuid: string }, command: string[]): Promise<string> {
    const id = await this.engine.createExec(uuid, { command, interactive: false }, soon())
    return (await this.engine.runExec(id, 10_000, soon())).output.toString('utf8')
  }

  async startedAt({ uuid }: { readonly uuid: string }): Promise<number> {
    return (await this.engine.inspect(uuid, soon()))?.seen.startedAtMs ?? Number.NaN
  }

  /** Kills the process behind the engine's back, as a crash does. */
  async killProcess({ uuid }: { readonly uuid: string }): Promise<void> {
    const { State } = await this.zund.engine.api<{ State: { Pid: number } }>('GET', `/containers/zun-${uuid}/json`)
    assert.ok(State.Pid > 0, 'it has a process')
    process.kill(State.Pid, 'SIGKILL')
  }

  /** Names of the engine's containers of this deployment. */
  async engineHas(): Promise<string[]> {
    return (await this.zund.engine.containers(this.deployment)).map(({ name }) => name)
  }

  close(): void {
    this.engine.close()
  }
}
