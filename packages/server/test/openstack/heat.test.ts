/** Heat as a client: its resource OS::Zun::Container, as Debian's package has it. */
import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { lendEndpoint } from './support/lent-endpoint.ts'

interface Stack {
  readonly id: string
  readonly stack_status: string
  readonly stack_status_reason: string
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

  it('is made, changed and deleted, and the container with it', async () => {
    const { demo } = stage
    const green = nameOf('green')
    const properties = { memory: '128', environment: { COLOUR: 'blue' }, networks: [{ network: 'demo-net' }] }
    await demo.post('orchestration', '/stacks', { stack_name: green, template: template(properties) })
    const created = await finished(green)
    assert.equal(created.stack_status, 'CREATE_COMPLETE', created.stack_status_reason)
    const [box] = await made()
    assert.ok(box)
    assert.deepEqual(
      { status: box.status, memory: box.memory, environment: (await stage.api().show(box.uuid)).environment },
      { status: 'Running', memory: '128', environment: { COLOUR: 'blue' } },
    )

    const path = `/stacks/${green}/${created.id}`
    const bigger = template({ ...properties, memory: '256' })
    await demo.put('orchestration', path, { template: bigger })
    const updated = await until('the stack is updated', async () => {
      const { stack_status: status, stack_status_reason: reason } = await finished(green)
      return status.startsWith('UPDATE_') && { status, reason }
    })
    assert.equal(updated.status, 'UPDATE_COMPLETE', updated.reason)
    const [same] = await made()
    assert.deepEqual([same?.uuid, same?.memory], [box.uuid, '256'])

    await demo.delete('orchestration', path)
    await until('the stack is gone', async () => {
      const answer = await demo.call<{ stack?: Stack }>('orchestration', 'GET', path)
      return answer.status === 404 || answer.body.stack?.stack_status === 'DELETE_COMPLETE'
    })
    assert.deepEqual(await made(), [])
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
