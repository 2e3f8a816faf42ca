package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// Options say where settings come from, weakest first: Files in order, Environ, Flags.
type Options struct {
	Files   []string       // YAML; a later file wins key by key, lists are replaced
	Environ []string       // as os.Environ() gives it; only WHERRY_* matters, an empty value counts as not set
	Flags   map[string]any // dotted key -> value, only flags that were given
}

// Load merges the origins over the defaults, checks everything, and returns either a valid Config or an error that
// matches ErrInvalid and lists every problem. Rules are checked only if everything could be read: a number that is text
// would else be reported twice, the second time as "0 is out of range".
func Load(opts Options) (*Config, error) {
	found := &problems{}
	known := fields()
	v := viper.New()
	defaults := Defaults()
	for _, f := range known {
		v.SetDefault(f.key, reflect.ValueOf(defaults).FieldByIndex(f.index).Interface())
	}
	origins := map[string]string{}
	for _, name := range opts.Files {
		r := &reader{problems: found, origin: name, known: keyNames(known), lines: map[string]int{}}
		set := r.file(name)
		if err := v.MergeConfigMap(nested(set)); err != nil {
			found.addf("%s: %w", name, err)
		}
		for key := range set {
			origins[key] = fmt.Sprintf("%s:%d", name, r.lines[key])
		}
	}
	env, flags := readEnviron(found, known, opts.Environ), readFlags(found, known, opts.Flags)
	for _, f := range known {
		if _, ok := env[f.key]; ok {
			origins[f.key] = f.env()
		}
		if _, ok := flags[f.key]; ok {
			origins[f.key] = "--" + strings.ReplaceAll(f.key, ".", "-")
		}
	}
	passwords := splitPasswords(env)
	setAll(v, env)
	setAll(v, flags)

	cfg := &Config{origins: origins}
	if err := v.UnmarshalExact(cfg, strictly); err != nil {
		found.addf("%w", err)
	}
	cfg.Source.EnvPassword, cfg.Target.EnvPassword = passwords["source.password"], passwords["target.password"]
	cfg.Source.role, cfg.Target.role = "source", "target"
	if _, given := origins["target.port"]; cfg.Target.Engine == "postgres" && !given {
		cfg.Target.Port = 5432
	}
	if len(found.list) == 0 { // rules on values that were not understood would only repeat the problem
		cfg.check(found)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	cfg.warnings = slices.Concat(envWarnings(known, opts.Environ), cfg.fileWarnings(opts.Files), cfg.hookWarnings())
	return cfg, nil
}

// strictly turns off every conversion: values already have the type of their field. With conversions on, "1" would
// silently become true.
func strictly(d *mapstructure.DecoderConfig) {
	d.WeaklyTypedInput = false
	d.DecodeHook = nil
}

// keyNames lists the full names of keys.
func keyNames(known []field) []string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.key
	}
	return names
}

// setAll puts a layer over everything that was merged before it.
func setAll(v *viper.Viper, l layer) {
	for key, value := range l {
		v.Set(key, value)
	}
}

// nested turns dotted keys into maps in maps, as viper merges them.
func nested(l layer) map[string]any {
	root := map[string]any{}
	for key, value := range l {
		parts := strings.Split(key, ".")
		at := root
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = value
	}
	return root
}
