/** Heat as a client: its resource OS::Zun::Container, as Debian's package has it. */
import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { lendEndpoint } from './support/lent-endpoint.ts'
import { makePort, portsOfDevice, showPort } from './support/ports.ts'
import { dropVolume, holdersOf, makeVolume } from './support/volumes.ts'

interface Stack {
  readonly id: string
  readonly stack_status: string
  readonly stack_status_reason: string
}

interface Outputs extends Stack {
  readonly outputs: readonly [{ readonly output_value: ContainerBody['addresses'] }]
}

const DONE = /_(COMPLETE|FAILED)$/

cloudTests('a stack of Heat with a container', (stage) => {
  /** Heat takes services from the region that all share. */
  before(async () => {
    stage.atEnd(await lendEndpoint(stage.admin, 'container', `${stage.zund.baseUrl}/v1`))
  })

  /** What an earlier run has left must not be in the way. */
  const nameOf = (word: string): string => `${word}-${stage.zund.apiPort}`

  const template = (properties: object): object => ({
    heat_template_version: '2018-08-31',
    resources: {
      box: {
        type: 'OS::Zun::Container',
        properties: {
          name: 'heated',
          image: 'busybox',
          image_driver: 'glance',
          // The client Heat uses puts every word into double quotes, and minds none that are in it.
          command: "sh -c 'trap : TERM; sleep 1000 & wait'",
          ...properties,
        },
      },
    },
    outputs: { addresses: { value: { get_attr: ['box', 'addresses'] } } },
  })

  const finished = async (name: string): Promise<Stack> =>
    until(`stack ${name} is done`, async () => {
      const { stack } = await stage.demo.get<{ stack: Stack }>('orchestration', `/stacks/${name}`)
      return DONE.test(stack.stack_status) && stack
    })

  const made = async (name = 'heated'): Promise<ContainerBody[]> => {
    const { containers } = await stage.api().expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
    return containers.filter((container) => container.name === name)
  }

  const create = async (name: string, properties: object): Promise<Stack & { readonly path: string }> => {
    await stage.demo.post('orchestration', '/stacks', { stack_name: name, template: template(properties) })
    const stack = await finished(name)
    assert.equal(stack.stack_status, 'CREATE_COMPLETE', stack.stack_status_reason)
    return { ...stack, path: `/stacks/${name}/${stack.id}` }
  }

  const update = async (name: string, path: string, properties: object): Promise<void> => {
    await stage.demo.put('orchestration', path, { template: template(properties) })
    const { status, reason } = await until('the stack is updated', async () => {
      const { stack_status: its, stack_status_reason: why } = await finished(name)
      return its.startsWith('UPDATE_') && { status: its, reason: why }
    })
    assert.equal(status, 'UPDATE_COMPLETE', reason)
  }

  const remove = async (path: string): Promise<void> => {
    await stage.demo.delete('orchestration', path)
    await until('the stack is gone', async () => {
      const answer = await stage.demo.call<{ stack?: Stack }>('orchestration', 'GET', path)
      return answer.status === 404 || answer.body.stack?.stack_status === 'DELETE_COMPLETE'
    })
  }

  it('is made, changed and deleted, and the container with it', async () => {
    const green = nameOf('green')
    const properties = { memory: '128', environment: { COLOUR: 'blue' }, networks: [{ network: 'demo-net' }] }
    const { path } = await create(green, properties)
    const [box] = await made()
    assert.ok(box)
    assert.deepEqual(
      { status: box.status, memory: box.memory, environment: (await stage.api().show(box.uuid)).environment },
      { status: 'Running', memory: '128', environment: { COLOUR: 'blue' } },
    )
    await update(green, path, { ...properties, memory: '256' })
    const [same] = await made()
    assert.deepEqual([same?.uuid, same?.memory], [box.uuid, '256'])
    await remove(path)
    assert.deepEqual(await made(), [])
  })

  it('has volumes and groups of the cloud, and goes from one network to another', async () => {
    const { demo, admin } = stage
    const blue = nameOf('blue')
    const volume = await makeVolume(demo, blue)
    const { security_group: group } = await demo.post<{ security_group: { id: string } }>(
      'network',
      '/v2.0/security-groups',
      { security_group: { name: blue } },
    )
    const properties = {
      networks: [{ network: 'demo-net' }],
      security_groups: [blue],
      mounts: [
        { volume_id: volume, mount_path: '/kept' },
        { volume_size: 1, mount_path: '/scratch' },
      ],
    }
    const { path } = await create(blue, properties)
    const [box] = await made()
    assert.ok(box)
    const [port] = await portsOfDevice(admin, box.uuid)
    assert.deepEqual(port?.security_groups, [group.id])
    assert.deepEqual(await holdersOf(demo, volume), [box.uuid])
    await stage.shell(box.uuid, 'touch /kept/file /scratch/file')
    const { outputs } = (await demo.get<{ stack: Outputs }>('orchestration', path)).stack
    const [{ output_value: addresses }] = outputs
    assert.deepEqual(
      addresses['demo-net']?.map((one) => one.port),
      [port?.id],
    )

    const brought = await makePort(demo, 'shared-net')
    await update(blue, path, { ...properties, networks: [{ port: brought }] })
    const [moved] = await made()
    const shown = Object.values(moved?.addresses ?? {}).flat()
    assert.deepEqual([moved?.uuid, shown.map((one) => one.port)], [box.uuid, [brought]])
    assert.equal((await showPort(demo, brought)).device_id, box.uuid)
    assert.deepEqual(
      (await portsOfDevice(admin, box.uuid)).map(({ id }) => id),
      [brought],
    )
    assert.match(await stage.shell(box.uuid, 'ip addr show scope global'), new RegExp(`inet ${shown[0]?.addr}/`))

    await remove(path)
    assert.deepEqual(await made(), [])
    assert.equal((await showPort(demo, brought)).device_id, '')
    await demo.delete('network', `/v2.0/ports/${brought}`)
    await demo.delete('network', `/v2.0/security-groups/${group.id}`)
    await dropVolume(demo, volume)
  })

  it('that cannot be made says why, and leaves no container behind', async () => {
    const { demo } = stage
    const red = nameOf('red')
    const body = { stack_name: red, template: template({ name: 'unheated', image: 'no-such-image' }) }
    await demo.post('orchestration', '/stacks', body)
    const failed = await finished(red)
    assert.equal(failed.stack_status, 'CREATE_FAILED')
    assert.match(failed.stack_status_reason, /no-such-image/)
    await demo.delete('orchestration', `/stacks/${red}/${failed.id}`)
    await until('its container is gone', async () => (await made('unheated')).length === 0)
  })
})
