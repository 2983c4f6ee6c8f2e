import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import type { Stage } from './stage.ts'

interface Service {
  readonly Id: number
  readonly Host: string
  readonly Binary: string
  readonly State: string
  readonly Disabled: boolean
  readonly 'Disabled Reason': string | null
  readonly 'Availability Zone': string
}

/** What the engine says of its machine. */
interface Info {
  readonly MemTotal: number
  readonly NCPU: number
  readonly DockerRootDir: string
  readonly Architecture: string
  readonly OSType: string
  readonly OperatingSystem: string
  readonly KernelVersion: string
  readonly Labels: readonly string[] | null
}

/** `host`: the name by which the one compute service goes. */
export function adminTests(stage: Stage, host: string): void {
  const service = async (): Promise<Service | undefined> => {
    return (await stage.admin.json<Service[]>('appcontainer service list'))[0]
  }

  it('service list shows the one compute service, up, by the name that is configured', async () => {
    const found = await service()
    assert.deepEqual(
      [found?.Binary, found?.State, found?.Disabled, found?.['Disabled Reason'], found?.['Availability Zone']],
      ['zun-compute', 'up', false, null, 'nova'],
    )
    assert.equal(found?.Host, host)
  })

  it('a disabled service gets no new container until it is enabled', async () => {
    const { admin, demo } = stage
    const name = `${(await service())?.Host} zun-compute`
    const disabled = await admin.json<Service>(`appcontainer service disable --reason repair ${name}`)
    assert.deepEqual([disabled.Disabled, disabled['Disabled Reason']], [true, 'repair'])
    assert.deepEqual([(await service())?.Disabled, (await service())?.['Disabled Reason']], [true, 'repair'])
    const nowhere = await demo.json<ContainerBody>(`appcontainer create --name nowhere ${stage.busybox}`)
    assert.equal(nowhere.status, 'Error')
    assert.match(String(nowhere.status_reason), /There are not enough hosts available/)
    const enabled = await admin.json<Service>(`appcontainer service enable ${name}`)
    assert.deepEqual([enabled.Disabled, enabled['Disabled Reason']], [false, null])
    await demo.ok(`appcontainer create --name somewhere ${stage.busybox}`)
    await stage.settled('somewhere', 'Created')
  })

  it('a service forced down is down until that is taken back', async () => {
    const { admin, demo } = stage
    const name = `${(await service())?.Host} zun-compute`
    assert.equal(
      (await admin.json<Record<string, unknown>>(`appcontainer service forcedown ${name}`))['Forced_down'],
      true,
    )
    assert.equal((await service())?.State, 'down')
    const nowhere = await demo.json<ContainerBody>(`appcontainer create ${stage.busybox}`)
    assert.equal(nowhere.status, 'Error')
    const back = await admin.json<Record<string, unknown>>(`appcontainer service forcedown --unset ${name}`)
    assert.equal(back['Forced_down'], false)
    await until('it is up', async () => (await service())?.State === 'up')
  })

  it('a deleted service that still runs reports itself again, with what it has', async () => {
    const { admin } = stage
    assert.match(
      await admin.ok(`appcontainer service delete ${host} zun-compute`),
      /Request to delete binary zun-compute on host \S+ has been accepted/,
    )
    await until('it is there again', async () => (await service())?.State === 'up')
    assert.equal((await stage.api.show('somewhere')).status, 'Created')
  })

  it('a service that does not exist is said', async () => {
    const { admin } = stage
    for (const verb of ['enable', 'disable', 'forcedown']) {
      assert.match(await admin.refused(`appcontainer service ${verb} nowhere zun-compute`), /nowhere.*\(HTTP 404\)/)
    }
    assert.match(await admin.ok('appcontainer service delete nowhere zun-compute'), /failed: .*nowhere.*\(HTTP 404\)/)
  })

  it('host list and show have the machine, by name and by uuid', async () => {
    const { admin, zund } = stage
    const info = await zund.engine.api<Info>('GET', '/info')
    // A fifth of the engine's disk is kept for images.
    const { blocks, bsize } = statfsSync(info.DockerRootDir)
    const machine = {
      architecture: info.Architecture,
      os_type: info.OSType,
      os: info.OperatingSystem,
      kernel_version: info.KernelVersion,
      disk_total: Math.floor((blocks * bsize * 0.8) / 1024 ** 3),
      labels: Object.fromEntries((info.Labels ?? []).map((label) => label.split('='))),
      enable_cpu_pinning: false,
    }
    const [row, ...others] = await admin.json<Record<string, unknown>[]>('appcontainer host list')
    assert.deepEqual(others, [])
    assert.deepEqual([row?.['cpus'], row?.['mem_total']], [info.NCPU, Math.floor(info.MemTotal / 1024 / 1024)])
    for (const ident of [row?.['uuid'], row?.['hostname']]) {
      const shown = await admin.json<Record<string, unknown>>(`appcontainer host show ${String(ident)}`)
      assert.deepEqual(
        [shown['uuid'], shown['cpus'], shown['os_type'], shown['disk_quota_supported']],
        [row?.['uuid'], info.NCPU, 'linux', false],
      )
      assert.ok((shown['runtimes'] as string[]).includes('runc'))
      for (const [name, value] of Object.entries(machine)) assert.deepEqual(shown[name], value, name)
    }
    assert.match(await admin.refused('appcontainer host show nowhere'), /nowhere.*\(HTTP 404\)/)
  })

  it('every user sees the zones', async () => {
    for (const user of [stage.demo, stage.admin]) {
      assert.deepEqual(await user.json('appcontainer availability zone list'), [{ availability_zone: 'nova' }])
    }
  })

  it('only an admin sees services and hosts, and all projects', async () => {
    const { demo, admin } = stage
    for (const line of [
      'service list',
      'service enable a b',
      'service disable a b',
      'service forcedown a b',
      'host list',
      'host show a',
      'list --all-projects',
      'show --all-projects somewhere',
    ]) {
      assert.match(await demo.refused(`appcontainer ${line}`), /Policy doesn't allow .*\(HTTP 403\)/)
    }
    assert.match(await demo.ok('appcontainer service delete a b'), /failed: Policy doesn't allow .*\(HTTP 403\)/)
    assert.match(await demo.ok('appcontainer delete --all-projects somewhere'), /failed: Policy doesn't .*\(HTTP 403\)/)

    assert.deepEqual(await admin.json('appcontainer list'), [])
    const everything = await admin.json<{ name: string }[]>('appcontainer list --all-projects --name somewhere')
    assert.deepEqual(
      everything.map((row) => row.name),
      ['somewhere'],
    )
    const shown = await admin.json<ContainerBody>('appcontainer show --all-projects somewhere')
    assert.equal(shown['host'], (await service())?.Host)
    await admin.ok('appcontainer delete --all-projects somewhere')
    await stage.api.waitGone('somewhere')
  })
}
