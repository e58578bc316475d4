package codec

import (
	"encoding/json"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// JobParams encodes the JSON column of a job.
func JobParams(j *bellwire.Job) (string, error) { return JSON(&j.Params) }

// DecodeJobParams decodes it.
func DecodeJobParams(text string, j *bellwire.Job) error {
	if err := json.Unmarshal([]byte(text), &j.Params); err != nil {
		return bellwire.Wrap(bellwire.CodeInternal, err, "the parameters of job %q cannot be read", j.ID)
	}
	return nil
}

// BulkStatuses returns the numbers of the statuses that a bulk job selects; 0 stands for none.
func BulkStatuses(p *bellwire.JobParams) (numbers [3]int16) {
	for i, status := range p.Statuses[:min(len(p.Statuses), len(numbers))] {
		numbers[i], _ = StatusNumber[int16](status)
	}
	return numbers
}
