package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// SealedSecrets lists up to limit sealed secrets that follow after, nil: from the start. It lists one kind after the other, with list,
// which does the same for one kind.
func SealedSecrets(
	after *bellwire.SealedSecret, limit int,
	list func(kind bellwire.SecretKind, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error),
) (all []*bellwire.SealedSecret, err error) {
	if after == nil {
		after = new(bellwire.SealedSecret)
	}
	for kind := after.Kind(); kind <= bellwire.SecretOfAnswer && len(all) < limit; kind++ {
		most := limit - len(all)
		if kind == bellwire.SecretOfAnswer {
			most = min(most, bellwire.MaxSealedAnswers)
		}
		more, err := list(kind, after, most)
		if err != nil {
			return nil, err
		}
		all, after = append(all, more...), new(bellwire.SealedSecret)
	}
	return all, nil
}
