//go:build !linux && !darwin

package doctor

func space(string) (free, total uint64, known bool) { return 0, 0, false }

func fileSizeLimit() (limit uint64, limited bool) { return 0, false }
