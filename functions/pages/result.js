// Tells the window that waits for this sign-in, then closes this one. The provider's pages cut
// window.opener (Cross-Origin-Opener-Policy), so a channel of the own origin is used instead.
const { integration, outcome } = document.body.dataset;
const channel = new BroadcastChannel("gateway-sign-in");
channel.postMessage({ integration, outcome });
channel.close();
if (outcome === "success") {
  setTimeout(() => window.close(), 1500);
}
