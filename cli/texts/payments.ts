/** Texts of `cauce payment` and of transfers: English, Spanish. */
export const paymentTexts = {
  'payment.about': ['Pay, look at payments, give money back', 'Pagar, mirar pagos, devolver dinero'],
  'payment.pay.about': [
    'Pay from the wallet or by card, and wait for the decision; the same key never pays twice',
    'Pagar con el monedero o con tarjeta y esperar la decisión; la misma clave nunca paga dos veces',
  ],
  'payment.customer': ['Who pays', 'Quién paga'],
  'payment.card': [
    'By card: tok_ok, tok_declined, tok_timeout, tok_flaky',
    'Con tarjeta: tok_ok, tok_declined, tok_timeout, tok_flaky',
  ],
  'payment.show.about': ['Show a payment', 'Ver un pago'],
  'payment.refund.about': ['Give back what was captured, all of it or a part', 'Devolver lo cobrado, todo o una parte'],
  'payment.refund.amount': [
    'How much, like 5.00; all that is left when left out',
    'Cuánto, como 5.00; todo lo que queda si se omite',
  ],
  'payment.refund.reason': ['Why', 'Por qué'],
  'payment.refunded': ['{amount} of {payment}: {status} ({id}).', '{amount} de {payment}: {status} ({id}).'],
  'account.transfer.about': ['Move money from one wallet into another', 'Pasar dinero de un monedero a otro'],
  'account.transfer.from': ['Whose wallet it leaves', 'De qué monedero sale'],
  'account.transfer.to': ['Whose wallet it enters', 'En qué monedero entra'],
  'account.transferred': ['{amount} from {from} to {to} ({id}).', '{amount} de {from} a {to} ({id}).'],
  'field.method': ['Method', 'Medio'],
  'field.amount': ['Amount', 'Importe'],
  'field.refunded': ['Refunded', 'Devuelto'],
  'field.reference': ['Reference', 'Concepto'],
} as const
