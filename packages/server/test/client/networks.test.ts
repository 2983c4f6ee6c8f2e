import assert from 'node:assert/strict'
import { it } from 'node:test'
import { networksTests } from './networks.ts'
import { clientTests } from './stage.ts'

clientTests('networks', (stage) => {
  networksTests(stage)

  it('security groups other than the one there is are refused with the reason, in the versions that have them', async () => {
    const { demo } = stage
    for (const [verb, words] of [
      ['add', /Add security group for container box failed: /],
      ['remove', /Remove security group from container box failed: /],
    ] as const) {
      const old = await demo.ok(`--os-container-api-version 1.14 appcontainer ${verb} security group box other`)
      assert.match(old, words)
      assert.match(old, /the local network service has only the group 'default'. \(HTTP 400\)/)
      const gone = await demo.ok(`appcontainer ${verb} security group box other`)
      assert.match(gone, words)
      assert.match(gone, /exists in API versions 1.1 to 1.14.*\(HTTP 406\)/)
    }
    const created = await demo.refused(`appcontainer create --security-group other ${stage.busybox}`)
    assert.match(created, /other.*\(HTTP 4\d\d\)/)
  })

  it('floating addresses need Neutron, which the client does not find in the catalogue', async () => {
    for (const line of ['add floating ip box 192.0.2.7', 'remove floating ip 192.0.2.7']) {
      const said = await stage.demo.refused(`appcontainer ${line}`)
      assert.match(said, /endpoint for network service in RegionOne region not found/)
    }
  })
})
