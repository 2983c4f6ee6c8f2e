/**
 * The roles as processes of their own in a cloud. Each dies once in the middle of a create and once in the middle of a delete,
 * compute where a volume and a port have just been had and nobody knows of it yet. What was accepted is done, once.
 */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { RoleDeployment } from '../support/role-deployment.ts'
import type { RoleProcess } from '../support/role-process.ts'
import { TestEngine } from '../support/test-engine.ts'
import { Terminal } from '../support/terminal.ts'
import { cloudGroups } from './support/cloud-conf.ts'
import { forgetHost } from './support/cloud-stage.ts'
import { assertUnchanged, cloudState, type CloudState } from './support/cloud-state.ts'
import { CloudUser } from './support/cloud-user.ts'
import { portsOfDevice } from './support/ports.ts'
import { Region } from './support/region.ts'
import { holdersOf, volumesOf } from './support/volumes.ts'

const PATIENCE_MS = 150_000

describe('roles in a cloud are killed', () => {
  const host = hostname()
  let admin: CloudUser
  let demo: CloudUser
  let region: Region
  let on: RoleDeployment
  let roles: Readonly<Record<'api' | 'conductor' | 'compute' | 'wsproxy', RoleProcess>>
  let client: ApiClient
  let earlier: CloudState
  let killFile = ''

  before(async () => {
    admin = await CloudUser.login('admin')
    demo = await CloudUser.login('demo')
    await forgetHost(admin, host)
    on = await RoleDeployment.make()
    region = await Region.open(admin, `zund-${on.apiPort}`)
    killFile = on.path('kill-at')
    const cloud = cloudGroups({ authUrl: region.authUrl, region: region.name })
    const controller = on.configure('in-a-cloud', { ...cloud, zund: { conductor_in_api: false } })
    const { process: compute } = await on.host(host, { conf: cloud, env: { ZUND_KILL_FILE: killFile } })
    const [api, conductor, wsproxy] = [
      on.role('api', controller),
      on.role('conductor', controller),
      on.role('wsproxy', controller),
    ]
    roles = { api, conductor, compute, wsproxy }
    await Promise.all(Object.values(roles).map(async (role) => role.start()))
    await compute.says(/ working /)
    client = new ApiClient(on.baseUrl, demo.token, demo.projectId)
    earlier = await state()
  })
  after(async () => {
    try {
      await on.destroy()
      await forgetHost(admin, host)
    } finally {
      await region.close()
    }
  })

  const state = async (): Promise<CloudState> =>
    await cloudState({ admin, engine: new TestEngine(), directory: on.directory })

  /** It dies at once, or at a point that it is about to pass; and is started again. */
  async function die(role: RoleProcess, point?: string): Promise<void> {
    if (point === undefined) await role.kill()
    else await role.ended()
    rmSync(killFile, { force: true })
    await role.start()
  }

  const DEATHS = [
    { name: 'api', atCreate: undefined, atDelete: undefined },
    { name: 'conductor', atCreate: undefined, atDelete: undefined },
    { name: 'wsproxy', atCreate: undefined, atDelete: undefined },
    { name: 'compute', atCreate: 'step:attachVolumes:applied', atDelete: 'step:releaseNetworks:applied' },
    { name: 'compute', atCreate: 'step:bindPorts:applied', atDelete: 'step:detachVolumes:applied' },
  ] as const

  for (const { name, atCreate, atDelete } of DEATHS) {
    it(`${name}${atCreate === undefined ? '' : `, at ${atCreate} and ${atDelete}`}`, async () => {
      const role = roles[name]
      if (atCreate !== undefined) writeFileSync(killFile, atCreate)
      const { uuid } = await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
        body: {
          image: 'busybox',
          image_driver: 'glance',
          command: OBEDIENT,
          nets: [{ network: 'demo-net' }],
          mounts: [{ size: 1, destination: '/own' }],
        },
      })
      await die(role, atCreate)
      await client.waitFor(uuid, ({ status }) => status === 'Running', PATIENCE_MS)
      assert.equal((await portsOfDevice(admin, uuid)).length, 1)
      const [volume, ...others] = await volumesOf(demo)
      assert.deepEqual([await holdersOf(demo, volume?.id ?? ''), others], [[uuid], []])
      await talk(uuid)
      if (atDelete !== undefined) writeFileSync(killFile, atDelete)
      await client.expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
      await die(role, atDelete)
      await client.waitGone(uuid, PATIENCE_MS)
    })
  }

  /** Through API, proxy and compute. */
  async function talk(uuid: string): Promise<void> {
    const query = new URLSearchParams({ command: 'sh', run: 'false', interactive: 'true' })
    const path = `/v1/containers/${uuid}/execute?${query.toString()}`
    const { proxy_url: url } = await client.expect<{ proxy_url: string }>(200, 'POST', path)
    const terminal = await Terminal.open(url)
    terminal.type('echo kept > /own/file; cat /own/file\n')
    await terminal.see(/^kept/m)
    terminal.type('exit\n')
    await terminal.closed
  }

  it('nothing is left behind', async () => await assertUnchanged(earlier, state))
})
