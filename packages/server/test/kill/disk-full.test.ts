/** The disk of the state directory is full: a clear answer, and a database that is whole afterwards. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { ZundProcess } from '../support/zund-process.ts'

describe('a full disk', () => {
  let disk = ''
  let zund: ZundProcess

  before(async () => {
    disk = mkdtempSync(join(tmpdir(), 'zund-small-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', disk])
    zund = await ZundProcess.start({ stateDir: join(disk, 'state') })
  })
  after(async () => {
    await zund.destroy()
    execFileSync('umount', [disk])
    rmdirSync(disk)
  })

  it('refuses what it cannot keep, goes on reading, and accepts again when there is room', async () => {
    const client = await zund.client()
    const runs = await client.run({ name: 'was-there-before' })
    const ballast = join(disk, 'ballast')
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(ballast, Buffer.alloc(bavail * bsize))
    // What fits into pages that the database has already is still accepted; each of these takes some.
    const body = { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT, labels: { a: 'x'.repeat(60_000) } }
    const answers: { status: number; text: string; body: unknown }[] = []
    do answers.push(await client.call('POST', '/v1/containers', { body }))
    while (answers.at(-1)?.status === 202 && answers.length < 100)
    const last = answers.pop()
    assert.equal(last?.status, 503, last?.text)
    assert.match(last.text, /disk of the service is full/)
    assert.equal((await client.show(runs.uuid)).status, 'Running')

    rmSync(ballast)
    for (const { body: made } of answers) {
      const { uuid } = made as ContainerBody
      const found = await client.waitFor(uuid, (c) => ['Created', 'Error'].includes(c.status)).catch(() => undefined)
      if (found !== undefined) assert.notEqual(found.status_reason, '')
      await client.delete(uuid, '')
    }
    await client.run({ name: 'after-it' })
    await zund.stop()
    const database = new DatabaseSync(join(zund.stateDir, 'zund.sqlite'))
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    database.close()
    await zund.up()
    assert.equal((await (await zund.client()).show('after-it')).status, 'Running')
  })
})
