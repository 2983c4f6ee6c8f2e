import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTROL_PLANE_URI, hostUri, peerIdentity } from './peer-identity.ts'

const of = (subjectaltname: string | undefined) => peerIdentity(subjectaltname === undefined ? {} : { subjectaltname })

test('a certificate speaks for what its one URI names, whatever addresses stand beside it', () => {
  assert.deepEqual(of(`DNS:ctl1, URI:${CONTROL_PLANE_URI}, IP Address:10.0.0.1`), { role: 'control-plane' })
  assert.deepEqual(of(`URI:${hostUri('node-1.example.org')}`), { role: 'host', host: 'node-1.example.org' })
  assert.deepEqual(of(`URI:${hostUri('Knoten ä, 1')}`), { role: 'host', host: 'Knoten ä, 1' })
})

test('a certificate without such a URI, with several, or with a name written otherwise, speaks for nobody', () => {
  for (const names of [
    undefined,
    '',
    'DNS:node1',
    `DNS:${CONTROL_PLANE_URI}`,
    'URI:urn:zund:host:',
    'URI:urn:zund:host:%6eode1',
    'URI:urn:zund:host:%zz',
    'URI:urn:zund:other',
    `URI:${hostUri('a')}, URI:${hostUri('b')}`,
    `URI:${hostUri('a')}, URI:${CONTROL_PLANE_URI}`,
    `DNS:"a, URI:${CONTROL_PLANE_URI}"`,
  ]) {
    assert.equal(of(names), undefined, names)
  }
})
