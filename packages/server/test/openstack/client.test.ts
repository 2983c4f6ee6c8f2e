/** Every command of the distribution's client, with users, images, networks and volumes of the cloud. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { adminTests } from '../client/admin.ts'
import { capsulesTests } from '../client/capsules.ts'
import { COMMAND_NAMES } from '../client/commands.ts'
import { lifeTests } from '../client/life.ts'
import { loginTests } from '../client/logins.ts'
import { lookingTests } from '../client/looking.ts'
import { networksTests } from '../client/networks.ts'
import { quotasTests } from '../client/quotas.ts'
import { registriesTests } from '../client/registries.ts'
import { Stage } from '../client/stage.ts'
import { terminalsTests } from '../client/terminals.ts'
import { floatingTests } from './client/floating.ts'
import { imagesTests } from './client/images.ts'
import { portsTests } from './client/ports.ts'
import { volumesTests } from './client/volumes.ts'
import { CloudPlace } from './support/client-place.ts'
import { cloudTests } from './support/cloud-stage.ts'

cloudTests(
  'the client, in a cloud',
  (cloud) => {
    const place = new CloudPlace(cloud)
    const stage = new Stage(async () => place.open())
    before(async () => stage.open())
    cloud.atEnd(async () => stage.close())

    const part = (about: string, define: (stage: Stage, place: CloudPlace) => void): void => {
      describe(about, () => {
        after(async () => place.clear())
        define(stage, place)
      })
    }
    part('life', lifeTests)
    part('looking', lookingTests)
    part('networks', networksTests)
    part('ports and security groups', portsTests)
    part('floating addresses', floatingTests)
    part('volumes', volumesTests)
    part('images', imagesTests)
    part('terminals', terminalsTests)
    part('capsules', capsulesTests)
    part('registries', registriesTests)
    part('quotas', quotasTests)
    part('logins', loginTests)
    part('admin', (on) => adminTests(on, hostname()))

    it('every command of the client was run', () => {
      assert.deepEqual(
        COMMAND_NAMES.filter((command) => !stage.ran.has(command)),
        [],
      )
    })
  },
  { conf: '[DEFAULT]\ndefault_image_driver = glance' },
)
