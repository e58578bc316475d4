// Package deploy tests what people install: the packages for Linux, the container image, the chart and the manifests, each as its
// users use it as far as that is possible without a container engine. It is a module of its own, so that the libraries that it needs
// are not Bellwire's. "make packages" runs it.
package deploy
