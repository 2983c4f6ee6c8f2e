/** admin-resources 4: what becomes of the name of an image to pull, and versions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOST, ImageApi } from '../support/image-api.ts'
import { until } from '../support/until.ts'

test('a name without a registry is pulled from the one that is configured as default', async (t) => {
  const api = await ImageApi.start('r.example:5000')
  t.after(() => api.stop())
  await api.work()
  const rows = [
    ['team/app', 'r.example:5000/team/app', 'latest', 'r.example:5000/team/app:latest'],
    ['docker.io/library/nginx:1', 'nginx', '1', 'docker.io/library/nginx:1'],
  ] as const
  for (const [repo, shown, tag, asked] of rows) {
    const { status, body } = await api.call('POST', '/v1/images', { body: { repo, host: HOST } })
    assert.deepEqual([status, body['repo'], body['tag']], [202, shown, tag], repo)
    await until('it is asked for', async () => api.host.pulls.some(({ spec }) => spec.image === asked))
  }
})
