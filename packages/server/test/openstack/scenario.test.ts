/** What a user does who takes everything from the cloud. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { cloudTests } from './support/cloud-stage.ts'

cloudTests('a container in a cloud', (stage) => {
  it('runs for a user of Keystone, and nobody else of another project sees it', async () => {
    const api = stage.api()
    const { uuid } = await stage.running({ name: 'mine' })
    assert.equal((await api.show(uuid)).project_id, stage.demo.projectId)
    assert.equal((await stage.api(stage.alt).call('GET', `/v1/containers/${uuid}`)).status, 404)
    await api.delete(uuid)
  })
})
