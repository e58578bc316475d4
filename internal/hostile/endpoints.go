package hostile

var atEndpoints, atReaders, atPublishing, atConfiguration, atConnections []*Scenario
