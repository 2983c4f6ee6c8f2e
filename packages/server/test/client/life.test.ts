import assert from 'node:assert/strict'
import { it } from 'node:test'
import { lifeTests } from './life.ts'
import { clientTests } from './stage.ts'

clientTests('life', (stage) => {
  lifeTests(stage)

  it('an image driver that is not configured is refused', async () => {
    assert.match(await stage.demo.refused('appcontainer create --image-driver glance busybox'), /glance.*\(HTTP 400\)/)
  })
})
