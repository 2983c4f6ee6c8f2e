import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Stage } from './stage.ts'

type Limits = Readonly<Record<string, unknown>>

const CONFIGURED = { containers: 40, memory: 51_200, cpu: 20, disk: 100 }

export function quotasTests(stage: Stage): void {
  it('a member sees the limits of the own project, and what is in use of them', async () => {
    const { demo, api } = stage
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota get ${api.projectId}`), CONFIGURED)
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota default ${api.projectId}`), CONFIGURED)
    await demo.ok(`appcontainer create --name one --cpu 0.5 --memory 64 ${stage.busybox}`)
    await stage.settled('one', 'Created')
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota get --usages ${api.projectId}`), {
      containers: { limit: 40, in_use: 1 },
      memory: { limit: 51_200, in_use: 64 },
      cpu: { limit: 20, in_use: 0.5 },
      disk: { limit: 100, in_use: 0 },
    })
  })

  it('a limit that an operator sets binds at once, until it is deleted', async () => {
    const { demo, admin, api } = stage
    const updated = await admin.json<Limits>(`appcontainer quota update --containers 1 --disk -1 ${api.projectId}`)
    assert.deepEqual(updated, { ...CONFIGURED, containers: 1, disk: -1 })
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota get ${api.projectId}`), updated)
    assert.match(
      await demo.refused(`appcontainer create ${stage.busybox}`),
      /^Quota exceeded for resources: containers \(containers: 1 of 1 used, 1 more asked\) \(HTTP 403\)/,
    )
    assert.match(await admin.ok(`appcontainer quota delete ${api.projectId}`), /Request to delete quotas has been acc/)
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota get ${api.projectId}`), CONFIGURED)
    await demo.ok(`appcontainer create --name two ${stage.busybox}`)
    await stage.settled('two', 'Created')
  })

  it('the default class is what projects without limits of their own have', async () => {
    const { demo, admin, api } = stage
    assert.deepEqual(await admin.json<Limits>('appcontainer quota class get default'), CONFIGURED)
    const updated = await admin.json<Limits>('appcontainer quota class update --containers 2 --cpu 8 default')
    assert.deepEqual(updated, { ...CONFIGURED, containers: 2, cpu: 8 })
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota default ${api.projectId}`), updated)
    assert.match(await demo.refused(`appcontainer create ${stage.busybox}`), /containers: 2 of 2 used.*\(HTTP 403\)/)
    await admin.ok('appcontainer quota class update --containers 40 --cpu 20 default')
    assert.deepEqual(await admin.json<Limits>('appcontainer quota class get default'), CONFIGURED)
    assert.match(
      await admin.refused('appcontainer quota class update --containers many default'),
      /'containers'.*'many'.*It is not a whole number.*\(HTTP 400\)/,
    )
  })

  it('a member neither changes limits nor sees those of others', async () => {
    const { demo, api } = stage
    const { projectId: theirs } = stage.place.admin
    for (const line of [
      `quota update --containers 99 ${api.projectId}`,
      `quota get ${theirs}`,
      `quota default ${theirs}`,
      'quota class get default',
      'quota class update --containers 99 default',
    ]) {
      assert.match(await demo.refused(`appcontainer ${line}`), /^Policy doesn't allow quota\S* to be .*\(HTTP 403\)/)
    }
    assert.match(
      await demo.ok(`appcontainer quota delete ${api.projectId}`),
      /Delete for quotas failed: Policy doesn't allow quota:delete to be performed. \(HTTP 403\)/,
    )
    assert.deepEqual(await demo.json<Limits>(`appcontainer quota get ${api.projectId}`), CONFIGURED)
  })
}
