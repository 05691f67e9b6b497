import { expect, test } from 'vitest'
import { readMail } from './message.ts'

const read = (...lines: string[]) => readMail(Buffer.from(lines.join('\r\n')))

test('a plain mail', () => {
  expect(read('From: a@x.test', 'Subject: Hello', 'message-id: <m1@x.test>', '', 'One', '', 'Two', '')).toEqual({
    messageId: '<m1@x.test>',
    subject: 'Hello',
    text: 'One\n\nTwo',
  })
})

test('encoded words over several lines, and quoted-printable', () => {
  const mail = read(
    'Subject: Re: =?UTF-8?Q?Pedido_confirmado=3A_=C3=B1and=C3=BA_y_m?=',
    ' =?UTF-8?Q?=C3=A1s_cosas?= =?utf-8?B?w7Eg4oKs?= (1)',
    'Message-ID:',
    ' <ord_1@cauce.test>',
    'Content-Transfer-Encoding: quoted-printable',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Hola Ana,',
    '',
    'ord_1 =3D 12,50 =E2=82=AC',
    'xx=',
    'yy =',
    'zz',
  )
  expect(mail).toEqual({
    messageId: '<ord_1@cauce.test>',
    subject: 'Re: Pedido confirmado: ñandú y más cosasñ € (1)',
    text: 'Hola Ana,\n\nord_1 = 12,50 €\nxxyy zz',
  })
})

test('base64, other charsets, and text that is sent as it is', () => {
  const encoded = Buffer.from('日本語\r\n').toString('base64')
  expect(read('Content-Transfer-Encoding: BASE64', '', encoded).text).toBe('日本語')
  const latin = Buffer.from('Content-Type: text/plain; charset="iso-8859-1"\r\n\r\nñ', 'latin1')
  expect(readMail(latin).text).toBe('ñ')
  expect(read('Subject: ñandú', 'Content-Type: text/plain; charset=nobody-knows', '', '€')).toMatchObject({
    subject: 'ñandú',
    text: '€',
  })
})

test('of a multipart the first plain part, however deep', () => {
  const inner = [
    'Content-Type: multipart/alternative; boundary=in',
    '',
    '--in',
    'Content-Type: text/html',
    '',
    '<b>No</b>',
  ]
  const plain = [
    '--in',
    'Content-Type: text/plain',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'S=C3=AD',
    '--in--',
  ]
  const head = ['Content-Type: multipart/mixed;', ' boundary="--_out"', '']
  expect(read(...head, 'preamble', '----_out', ...inner, ...plain, '----_out--', 'epilogue').text).toBe('Sí')
  expect(read(...head, '----_out', 'Content-Type: text/html', '', 'No', '----_out--').text).toBe('')
})

test('what is no mail is read as far as it goes', () => {
  expect(read('')).toEqual({ messageId: undefined, subject: '', text: '' })
  expect(read('nonsense')).toEqual({ messageId: undefined, subject: '', text: '' })
  expect(read('Message-ID: nonsense', 'Subject: =?utf-8?Q?=E?=', '', 'x')).toEqual({
    messageId: undefined,
    subject: '=E',
    text: 'x',
  })
})
