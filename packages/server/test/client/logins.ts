/** Whom the client logs in as, and what it then speaks. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Stage } from './stage.ts'

export function loginTests(stage: Stage): void {
  it('a wrong password or user is told as one and the same', async () => {
    for (const wrong of ['--os-password wrong', '--os-username nobody']) {
      const said = await stage.demo.refused(`${wrong} appcontainer list`)
      assert.match(said, /^The request you have made requires authentication. \(HTTP 401\)/)
    }
  })

  it('without a wish the newest version of both is spoken', async () => {
    const { err } = await stage.demo.run('--debug appcontainer list')
    const asked = [...err.matchAll(/OpenStack-API-Version: container (\S+?)"/g)].map(([, version]) => version)
    assert.deepEqual(asked, ['1.1', '1.40'])
  })

  it('the package’s older client works too, with what is in clouds.yaml', async () => {
    await stage.running('elder')
    const zun = async (line: string): Promise<string> => await stage.demo.zun(line)
    assert.match(await zun('list'), / elder .* Running /)
    assert.match(await zun('show elder'), /status +\| Running/)
    assert.match(await zun('version-list'), /v1 .*CURRENT.*1\.1 .*1\.40/)
    await zun('--zun-api-version 1.13 rename elder renamed')
    assert.match(await zun('show renamed'), /name +\| renamed/)
    assert.match(await zun('exec renamed echo hello'), /hello/)
    assert.match(await zun('stop renamed'), /accepted/)
    await stage.settled('renamed', 'Stopped')
  })

  it('the client’s own program, started by itself, does the same', async () => {
    const window = stage.demo.window('appcontainer list --name renamed -f value -c status')
    assert.equal(await window.ended(), 0)
    assert.equal(window.text, 'Stopped\r\n')
  })
}
