// Minimal headless Vendure 3.7 for end-to-end tests: one process, one SQLite file, 127.0.0.1 only.
process.env.VENDURE_DISABLE_TELEMETRY = 'true'; // else it posts to telemetry.vendure.io and writes .vendure/
const fs = require('fs'), path = require('path');
const v = require('@vendure/core');
const { AssetServerPlugin } = require('@vendure/asset-server-plugin');
const DIR = process.env.SHOP_DIR || path.join(process.cwd(), 'shop-data');
const PORT = +(process.env.SHOP_PORT || 3900);
fs.mkdirSync(path.join(DIR, 'assets'), { recursive: true });
const text = (name) => ({ name, type: 'string', nullable: true });
const config = {
  logger: new v.DefaultLogger({ level: v.LogLevel.Error }),
  apiOptions: { hostname: '127.0.0.1', port: PORT, cors: false },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
    cookieOptions: { secret: 'test' },
  },
  dbConnectionOptions: { type: 'better-sqlite3', database: path.join(DIR, 'shop.sqlite'), enableWAL: true, synchronize: true },
  paymentOptions: { paymentMethodHandlers: [v.dummyPaymentHandler] },
  importExportOptions: { importAssetsDir: DIR },
  customFields: { // where a shop has no field of its own for a POHODA value
    Product: [text('manufacturer'), text('supplier'), { name: 'shortDescription', type: 'localeText', nullable: true }],
    ProductVariant: [
      text('pohodaId'), text('ean'), text('unit'), { name: 'weight', type: 'float', nullable: true },
      { name: 'availability', type: 'localeString', nullable: true }, { name: 'marks', type: 'string', list: true, nullable: true },
    ],
    Collection: [text('pohodaId')],
    Order: [text('pohodaNumber')],
  },
  plugins: [ // no search plugin: its re-indexing in the same process blocks the event loop
    v.DefaultJobQueuePlugin.init({ pollInterval: 100 }),
    AssetServerPlugin.init({ route: 'assets', assetUploadDir: path.join(DIR, 'assets'), assetUrlPrefix: `http://127.0.0.1:${PORT}/assets/` }),
  ],
};
(async () => {
  const t0 = Date.now();
  const app = await v.bootstrap(config);
  await app.get(v.JobQueueService).start();
  const channel = await app.get(v.ChannelService).getDefaultChannel(v.RequestContext.empty());
  if (!channel.defaultTaxZone) {
    await app.get(v.Populator).populateInitialData({
      defaultLanguage: v.LanguageCode.en, defaultZone: 'Europe',
      countries: [{ name: 'Czechia', code: 'CZ', zone: 'Europe' }, { name: 'Slovakia', code: 'SK', zone: 'Europe' }],
      taxRates: [{ name: 'Standard', percentage: 21 }, { name: 'Reduced', percentage: 12 }],
      shippingMethods: [{ name: 'Zasilkovna', price: 9900 }],
      paymentMethods: [{ name: 'Prevod', handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'false' }] } }],
      collections: [],
    });
  }
  console.log(`READY http://127.0.0.1:${PORT} pid=${process.pid} ms=${Date.now() - t0}`);
  if (process.env.SHOP_ATTACHED) process.stdin.resume().on('end', () => process.exit(0)); // our test run was killed
  for (const s of ['SIGTERM', 'SIGINT']) process.on(s, async () => { await app.close(); process.exit(0); });
})().catch((e) => { console.error(e); process.exit(1); });
