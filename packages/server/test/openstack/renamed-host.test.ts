/** A host that is called otherwise from one start to the next, as by a changed host name. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { cloudTests, forgetHost } from './support/cloud-stage.ts'
import { holdersOf, volumesOf } from './support/volumes.ts'

cloudTests('a host that has got another name', (stage) => {
  it('leaves alone what containers have under the old one, which go on when it is called so again', async () => {
    const { demo, admin, zund } = stage
    const { uuid } = await stage.running({ mounts: [{ size: 1, destination: '/own' }] })
    await stage.shell(uuid, 'echo kept > /own/file')
    const [volume] = await volumesOf(demo)
    assert.ok(volume)
    const file = join(zund.stateDir, 'zun.conf')
    const conf = readFileSync(file, 'utf8')
    await zund.stop()
    writeFileSync(file, `${conf}\n[DEFAULT]\nhost = renamed\n`)
    await zund.up()
    assert.deepEqual(
      (await volumesOf(demo)).map(({ id, status }) => [id, status]),
      [[volume.id, 'in-use']],
    )
    assert.deepEqual(await holdersOf(demo, volume.id), [uuid])
    assert.ok(readFileSync('/proc/self/mounts', 'utf8').includes(volume.id))
    await zund.stop()
    writeFileSync(file, conf)
    await zund.up()
    assert.equal(await stage.shell(uuid, 'cat /own/file'), 'kept\n')
    await stage.api().delete(uuid)
    await forgetHost(admin, 'renamed')
  })
})
