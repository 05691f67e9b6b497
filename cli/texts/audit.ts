/** The audit and the consumer groups. */
import type { Pairs } from './pairs.ts'

export const auditTexts = {
  'audit.about': [
    'Check the books while everything runs; exit 1 when something is wrong',
    'Revisar las cuentas con todo en marcha; sale con 1 si algo está mal',
  ],
  'audit.ok': ['The books are right.', 'Las cuentas están bien.'],
  'audit.wrong': ['The books are wrong.', 'Las cuentas están mal.'],
  'audit.check': ['Check', 'Comprobación'],
  'audit.found': ['Found', 'Hallado'],
  'audit.mark.ok': ['ok', 'bien'],
  'audit.mark.wrong': ['WRONG', 'MAL'],
  'audit.mark.info': ['for information', 'informativo'],
  'audit.yes': ['yes', 'sí'],
  'audit.no': ['no', 'no'],
  'audit.orders': ['Orders that ended', 'Pedidos que han acabado'],
  'audit.ordersOf': ['{terminal} of {total}', '{terminal} de {total}'],
  'audit.stuck': ['Orders that nothing will move', 'Pedidos que nada va a mover'],
  'audit.contradictory': [
    'Orders that ended, but money or stock says otherwise',
    'Pedidos que acabaron, pero el dinero o las existencias dicen otra cosa',
  ],
  'audit.balanced': ['Money: debits equal credits', 'Dinero: el debe iguala al haber'],
  'audit.negativeAccounts': ['Money: accounts below zero', 'Dinero: cuentas por debajo de cero'],
  'audit.duplicateCharges': ['Money: payments charged twice', 'Dinero: pagos cobrados dos veces'],
  'audit.stockBalanced': ['Stock: what is reserved is accounted for', 'Existencias: lo reservado cuadra'],
  'audit.stockNegative': ['Stock: products oversold', 'Existencias: productos vendidos de más'],
  'audit.gaps': ['Log: lanes with holes', 'Registro: carriles con huecos'],
  'audit.unapplied': ['Log: messages on their way', 'Registro: mensajes en camino'],
  'audit.parked': ['Log: messages set aside', 'Registro: mensajes apartados'],
  'audit.dead': ['Tasks that were given up', 'Tareas abandonadas'],

  'groups.about': [
    'Where each consumer group stands in the logs it reads',
    'Por dónde va cada grupo de consumidores en los registros que lee',
  ],
  'groups.lanes': ['One row for each lane', 'Una fila por carril'],
  'groups.group': ['Group', 'Grupo'],
  'groups.source': ['Reads', 'Lee'],
  'groups.lane': ['Lane', 'Carril'],
  'groups.head': ['Written', 'Escrito'],
  'groups.cursor': ['Applied', 'Aplicado'],
  'groups.lag': ['Behind', 'Retraso'],
  'groups.oldest': ['Oldest', 'Más antiguo'],
  'groups.parked': ['Set aside', 'Apartados'],
  'groups.halted': ['Halted', 'Detenido'],
} as const satisfies Pairs
