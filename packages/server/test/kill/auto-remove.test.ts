/** kill -9 of the whole service around the life of a container that its engine removes; all points are in the crash suite. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { deploymentOf } from '../support/test-engine.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

interface History {
  readonly uuid: string
  readonly stops: readonly { readonly reason: string; readonly actor: string; readonly exit_code: number | null }[]
  readonly actions: readonly { readonly action: string; readonly state: string }[]
}

let zund: ZundProcess
before(async () => {
  zund = await ZundProcess.start()
})
after(() => zund.destroy())

for (const point of ['step:startContainer:applied', 'finish:create:before', 'finish:create:after']) {
  it(`it ends while the service is dead, killed at ${point}`, async () => {
    const file = join(zund.stateDir, 'kill-at')
    await zund.stop()
    await zund.up({ ZUND_KILL_FILE: file })
    writeFileSync(file, point)
    const name = point.replaceAll(':', '-')
    const command = ['sh', '-c', 'sleep 1; exit 3']
    const body = { name, image: 'busybox', image_pull_policy: 'never', auto_remove: true, command }
    // The answer may be cut off.
    await (await zund.client()).call('POST', '/v1/containers?run=true', { body }).catch(() => undefined)
    await zund.ended()
    rmSync(file)
    const deployment = deploymentOf(join(zund.stateDir, 'zund.sqlite'))
    await until('the engine has removed it', async () => {
      return (await zund.engine.containers(deployment)).length === 0
    })
    await zund.up()
    const client = await zund.client()
    await until('its record is gone', async () => (await client.call('GET', `/v1/containers/${name}`)).status === 404)
    const { containers } = await client.expect<{ containers: readonly History[] }>(
      200,
      'GET',
      `/v1/history/containers?name=${name}`,
    )
    assert.equal(containers.length, 1)
    const past = await client.expect<History>(200, 'GET', `/v1/history/containers/${containers[0]?.uuid}`)
    assert.deepEqual(
      past.stops.map(({ reason, actor, exit_code: code }) => [reason, actor, code]),
      [['exited', 'container', 3]],
    )
    assert.deepEqual(
      past.actions.map(({ action, state }) => [action, state]),
      [
        ['delete', 'succeeded'],
        ['create', 'succeeded'],
      ],
    )
  })
}
