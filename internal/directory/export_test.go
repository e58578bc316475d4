package directory

// CompiledFilters returns how many compiled filters are in use.
func (d *Directory) CompiledFilters() int {
	d.programs.mu.Lock()
	defer d.programs.mu.Unlock()
	return len(d.programs.byText)
}
