/** What a user does who takes everything from the cloud. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'

interface Volume {
  readonly id: string
  readonly status: string
}

interface Group {
  readonly id: string
}

cloudTests('a container in a cloud', (stage) => {
  const volume = async (id: string): Promise<Volume> =>
    (await stage.demo.get<{ volume: Volume }>('volumev3', `/volumes/${id}`)).volume

  const volumeIs = async (id: string, status: string): Promise<void> => {
    await until(`volume ${id} is ${status}`, async () => (await volume(id)).status === status)
  }

  it('runs for a user of Keystone, and nobody else of another project sees it', async () => {
    const api = stage.api()
    const { uuid } = await stage.running({ name: 'mine' })
    assert.equal((await api.show(uuid)).project_id, stage.demo.projectId)
    assert.equal((await stage.api(stage.alt).call('GET', `/v1/containers/${uuid}`)).status, 404)
    await api.delete(uuid)
  })

  it('has its image from Glance, its disk from Cinder and its address from Neutron, and the data outlive it', async () => {
    const api = stage.api()
    const made = await stage.demo.post<{ volume: Volume }>('volumev3', '/volumes', {
      volume: { size: 1, name: 'diary' },
    })
    const { id } = made.volume
    await volumeIs(id, 'available')
    const body = { nets: [{ network: 'demo-net' }], mounts: [{ source: 'diary', destination: '/data' }] }

    const first = await stage.running({ ...body, name: 'first' })
    await volumeIs(id, 'in-use')
    assert.match(Object.values(first.addresses)[0]?.[0]?.addr ?? '', /^10\.20\.0\./)
    await stage.shell(first.uuid, 'echo dear diary > /data/page')
    await api.delete(first.uuid)
    await volumeIs(id, 'available')

    const second = await stage.running({ ...body, name: 'second' })
    assert.equal(await stage.shell(second.uuid, 'cat /data/page'), 'dear diary\n')
    await api.delete(second.uuid)
    await volumeIs(id, 'available')
    await stage.demo.delete('volumev3', `/volumes/${id}`)
  })

  it('gets a volume of the size it asks for, which goes with it', async () => {
    const { uuid } = await stage.running({ name: 'roomy', mounts: [{ size: '1', destination: '/scratch' }] })
    const { volumes } = await stage.demo.get<{ volumes: Volume[] }>('volumev3', '/volumes/detail')
    assert.deepEqual(
      volumes.map(({ status }) => status),
      ['in-use'],
    )
    assert.match(await stage.shell(uuid, 'df -m /scratch | tail -1'), /\/scratch$/m)
    await stage.api().delete(uuid)
  })

  it('reaches another on the same network, until the security group of that one lets nobody in', async () => {
    const { demo } = stage
    const { security_group: closed } = await demo.post<{ security_group: Group }>('network', '/v2.0/security-groups', {
      security_group: { name: 'closed' },
    })
    const nets = [{ network: 'demo-net' }]
    const [asking, open, shut] = [
      await stage.running({ name: 'asking', nets }),
      await stage.running({ name: 'open', nets }),
      await stage.running({ name: 'shut', nets, security_groups: ['closed'] }),
    ]
    const ping = async (to: typeof open): Promise<number> => {
      const address = Object.values(to.addresses)[0]?.[0]?.addr ?? ''
      return await stage.exitCode(asking.uuid, `ping -c 1 -W 2 ${address}`)
    }
    await until('the open one answers', async () => (await ping(open)) === 0)
    assert.equal(await ping(shut), 1)
    const rule = { security_group_id: closed.id, direction: 'ingress', protocol: 'icmp', ethertype: 'IPv4' }
    await demo.post('network', '/v2.0/security-group-rules', { security_group_rule: rule })
    await until('it answers once its group lets pings in', async () => (await ping(shut)) === 0)
    for (const { uuid } of [asking, open, shut]) await stage.api().delete(uuid)
    await demo.delete('network', `/v2.0/security-groups/${closed.id}`)
  })
})
