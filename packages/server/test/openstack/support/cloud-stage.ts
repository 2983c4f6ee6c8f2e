/** A service in a cloud, for the tests of one file; the last of them is that nothing is left behind. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, OBEDIENT, type ContainerBody } from '../../support/api-client.ts'
import { closeAll } from '../../support/close-all.ts'
import { freePort, ZundProcess } from '../../support/zund-process.ts'
import { cloudConf } from './cloud-conf.ts'
import { assertUnchanged, cloudState, type CloudState } from './cloud-state.ts'
import { CloudUser } from './cloud-user.ts'
import { Region } from './region.ts'

interface Held {
  readonly admin: CloudUser
  readonly demo: CloudUser
  readonly alt: CloudUser
  readonly before: CloudState
}

export interface CloudStageOptions {
  /** More of zun.conf. */
  readonly conf?: string
}

export class CloudStage {
  #held: Held | undefined
  #region: Region | undefined
  #zund: ZundProcess | undefined
  readonly #closers: (() => Promise<unknown>)[] = []

  async open({ conf = '' }: CloudStageOptions): Promise<void> {
    const [admin, demo, alt] = [
      await CloudUser.login('admin'),
      await CloudUser.login('demo'),
      await CloudUser.login('alt_demo'),
    ]
    await forgetHost(admin)
    this.#region = await Region.open(admin, `zund-${await freePort()}`)
    const { authUrl, name } = this.#region
    this.#zund = await ZundProcess.start({ conf: `${cloudConf({ authUrl, region: name })}\n${conf}` })
    await this.#region.announceContainers(`${this.#zund.baseUrl}/v1`)
    this.#held = { admin, demo, alt, before: await this.state(admin) }
  }

  /** Whatever of it is open. */
  async close(): Promise<void> {
    const admin = this.#held?.admin
    await closeAll(
      ...this.#closers.toReversed(),
      () => this.#zund?.destroy(),
      () => admin && forgetHost(admin),
      () => this.#region?.close(),
    )
  }

  /** What a test has done to the cloud is undone before the rest is closed. */
  atEnd(undo: () => Promise<unknown>): void {
    this.#closers.push(undo)
  }

  get held(): Held {
    if (this.#held === undefined) throw new Error('the stage is not open')
    return this.#held
  }

  get zund(): ZundProcess {
    if (this.#zund === undefined) throw new Error('the stage is not open')
    return this.#zund
  }

  get region(): Region {
    if (this.#region === undefined) throw new Error('the stage is not open')
    return this.#region
  }

  get admin(): CloudUser {
    return this.held.admin
  }

  get demo(): CloudUser {
    return this.held.demo
  }

  get alt(): CloudUser {
    return this.held.alt
  }

  /** The service under test as one of them sees it. */
  api(user: CloudUser = this.demo): ApiClient {
    return new ApiClient(this.zund.baseUrl, user.token, user.projectId)
  }

  /** A container of the image service's busybox that runs. */
  async running(body: object = {}, user: CloudUser = this.demo): Promise<ContainerBody> {
    const api = this.api(user)
    const { uuid } = await api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { image: 'busybox', image_driver: 'glance', command: OBEDIENT, ...body },
    })
    return await api.waitFor(uuid, (found) => found.status === 'Running')
  }

  /** What a line of shell in a container of demo prints. */
  async shell(uuid: string, line: string): Promise<string> {
    const { output, exit_code: code } = await this.#execute(uuid, line)
    assert.equal(code, 0, `${line}: ${output}`)
    return output
  }

  async exitCode(uuid: string, line: string): Promise<number> {
    return (await this.#execute(uuid, line)).exit_code
  }

  async #execute(uuid: string, line: string): Promise<{ output: string; exit_code: number }> {
    const query = new URLSearchParams({ command: `sh -c '${line}'`, run: 'true', interactive: 'false' })
    return await this.api().expect(200, 'POST', `/v1/containers/${uuid}/execute?${query.toString()}`)
  }

  async assertNothingLeft(): Promise<void> {
    await this.assertAsIn(this.held.before)
  }

  /** Once what is under way has ended. */
  async assertAsIn(earlier: CloudState): Promise<void> {
    await assertUnchanged(earlier, async () => this.state())
  }

  /** Of the cloud and of the host. */
  async state(admin: CloudUser = this.admin): Promise<CloudState> {
    return await cloudState({ admin, engine: this.zund.engine, directory: this.zund.stateDir })
  }
}

/**
 * The provider of this host outlives the service, as it should; to the next one it would be a stranger's of this name.
 * What a failed test has left allocated goes too, or every file after it would fail.
 */
export async function forgetHost(admin: CloudUser, name = hostname()): Promise<void> {
  const { resource_providers: providers } = await admin.get<{ resource_providers: { uuid: string }[] }>(
    'placement',
    `/resource_providers?name=${name}`,
  )
  for (const { uuid } of providers) {
    const { allocations } = await admin.get<{ allocations: Record<string, unknown> }>(
      'placement',
      `/resource_providers/${uuid}/allocations`,
    )
    for (const consumer of Object.keys(allocations)) await admin.delete('placement', `/allocations/${consumer}`)
    await admin.delete('placement', `/resource_providers/${uuid}`)
  }
}

export function cloudTests(about: string, define: (stage: CloudStage) => void, options: CloudStageOptions = {}): void {
  describe(about, () => {
    const stage = new CloudStage()
    before(async () => stage.open(options))
    after(async () => stage.close())
    define(stage)
    it('nothing is left behind, in any service or on the host', async () => stage.assertNothingLeft())
  })
}
